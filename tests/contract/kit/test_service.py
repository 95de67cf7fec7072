"""A whole service as a process: it starts, answers, logs no names, and ends as it should."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.builders import KitSettings, child
from ecm.api.referrals.v1 import referrals_service_pb2 as service_pb2
from ecm.api.referrals.v1 import referrals_service_pb2_grpc as service_grpc
from ecm.kit.db.tables import outbox
from ecm.local.ports import free_ports
from ecm.local.stack import Stack
from unit.kit.builders import REPOSITORY


@contextmanager
def process(settings: KitSettings, **more: str) -> Iterator[subprocess.Popen[str]]:
    values = {name: getattr(settings, name) for name in ("region_file", "issuer", "jwks_url", "token_url")}
    values |= {name: getattr(settings, name) for name in ("kafka_bootstrap", "kafka_username", "client_key_file")}
    values |= {name: getattr(settings, name).get_secret_value() for name in ("database_url", "kafka_password")}
    environment = {f"ECM_{name.upper()}": str(value) for name, value in values.items()}
    paths = os.pathsep.join(str(REPOSITORY / folder) for folder in ("services", "shared", "tests"))
    started = subprocess.Popen(
        [sys.executable, "-m", "contract.kit.example.app"],
        env=os.environ | environment | more | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


async def register(channel: grpc.aio.Channel, token: str) -> service_pb2.RegisterChildResponse:
    stub = service_grpc.ReferralsServiceStub(channel)
    metadata = (("authorization", f"Bearer {token}"), ("idempotency-key", "key-00001"))
    request = service_pb2.RegisterChildRequest(child=child("Verysecret"))
    answer: service_pb2.RegisterChildResponse = await stub.RegisterChild(
        request, metadata=metadata, timeout=40, wait_for_ready=True
    )
    return answer


async def test_it_serves_and_ends(infrastructure: Stack, settings: KitSettings, engine: AsyncEngine) -> None:
    port, metrics = free_ports(2)
    listen = {"ECM_LISTEN": f"127.0.0.1:{port}", "ECM_METRICS_LISTEN": f"127.0.0.1:{metrics}"}
    with process(settings, **listen) as running:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            token = infrastructure.token(person="case-manager")
            # The people's tokens are for the real services; `kit` isn't one of them.
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await register(channel, token)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        async with httpx.AsyncClient(trust_env=False) as http:
            shown = (await http.get(f"http://127.0.0.1:{metrics}/metrics")).text
        assert 'ecm_rpc_calls_total{code="UNAUTHENTICATED"' in shown
        running.terminate()
        began = time.monotonic()
        output, errors = running.communicate(timeout=40)
        assert running.returncode == 0, errors
        assert time.monotonic() - began < 10
    lines = [json.loads(line) for line in output.splitlines()]
    assert {"grpc.serving", "call", "grpc.stopping"} <= {line["event"] for line in lines}
    assert all(line["service"] == "kit" for line in lines) and "Verysecret" not in output + errors
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(outbox))).scalar_one() == 0


async def test_a_failed_part_ends_the_service(settings: KitSettings) -> None:
    with process(settings, KIT_TEST_FAILS="1") as running:
        output, errors = running.communicate(timeout=40)
    assert running.returncode == 1
    assert json.loads(output.splitlines()[-1])["event"] == "service.failed" and "Jane" not in output + errors


async def test_what_it_cannot_start_with_is_said(settings: KitSettings) -> None:
    with process(settings, ECM_REGION_FILE="/nowhere/region.yaml") as running:
        _, errors = running.communicate(timeout=40)
    assert running.returncode == 1 and "ecm-kit: /nowhere/region.yaml: can't be read" in errors
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with process(settings, ECM_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}") as running:
            _, errors = running.communicate(timeout=40)
    assert running.returncode == 1 and "can't be served on" in errors
