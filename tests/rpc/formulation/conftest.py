"""`formulation` by itself: the real service on real PostgreSQL, Kafka and issuer, its peers stood in for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from ecm.admin.names import app_role
from ecm.api.common.v1.actor_pb2 import Actor
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.formulation.app import DESCRIPTORS, build
from ecm.formulation.policy import POLICY
from ecm.formulation.settings import FormulationSettings
from ecm.formulation.store import record_events
from ecm.kit.clock import SystemClock
from ecm.kit.db.migrations import migrate
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.errors import DomainError
from ecm.kit.rpc.server import serving as serving_grpc
from ecm.kit.rpc.status import from_rpc_error
from ecm.kit.service import runtime_of
from ecm.local.stack import Stack
from rpc.formulation.peers import Others, serving


class MovedClock(SystemClock):
    """The clock that commands go by: ahead of the machine's, as a test wants it."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclass
class Formulation:
    """The running service, and how to call it as somebody."""

    stack: Stack
    stub: Any
    others: Others
    clock: MovedClock

    async def person(self, person: str, method: str, request: Any, key: str = "") -> Any:
        """The answer to somebody of a YOT, or the DomainError of the refusal."""
        return await self._call(self.stack.token(person=person), method, request, key)

    async def partner(self, agency: str, method: str, request: Any, key: str = "", practitioner: str = "") -> Any:
        """The answer to a partner for whom the exchange acts."""
        actor = Actor(agency=agency, client=agency)
        if practitioner:
            actor.practitioner.id = practitioner
        token = self.stack.token(client="ecm-exchange", audience="ecm-formulation")
        return await self._call(token, method, request, key, ("ecm-actor-bin", actor.SerializeToString()))

    async def psychologist(self, method: str, request: Any, key: str = "") -> Any:
        """The answer to the psychology service, written by its registered psychologist."""
        return await self.partner("nhs-psychology", method, request, key, "psychologist-1")

    async def service(self, service: str, method: str, request: Any) -> Any:
        """The answer to another service."""
        return await self._call(self.stack.token(client=service, audience="ecm-formulation"), method, request, "")

    async def bearer(self, token: str, method: str, request: Any) -> Any:
        """The answer to any token."""
        return await self._call(token, method, request, "")

    async def _call(self, token: str, method: str, request: Any, key: str, *more: Any) -> Any:
        metadata = (("authorization", f"Bearer {token}"), ("idempotency-key", key or uuid4().hex), *more)
        try:
            return await getattr(self.stub, method)(request, metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


@pytest.fixture(scope="session")
async def formulation(infrastructure: Stack) -> AsyncIterator[Formulation]:
    others = Others()
    await migrate("formulation", infrastructure.database_url("formulation", "owner"), app_role("formulation"))
    async with AsyncExitStack() as stack:
        settings = _settings(infrastructure, await stack.enter_async_context(serving(others)))
        clock = MovedClock()
        runtime = await stack.enter_async_context(runtime_of(settings, record_events()))
        # Tokens are checked by the machine's clock, which the issuer goes by too.
        uow = UnitOfWork(runtime.engine, clock, runtime.ids, runtime.region, record_events())
        runtime = replace(runtime, uow=uow)
        parts = build(runtime)
        for peer in parts.peers:
            stack.push_async_callback(peer.close)
        port = await stack.enter_async_context(
            serving_grpc(settings, DESCRIPTORS, parts.add_servicers, POLICY, runtime.verifier, region=runtime.region)
        )
        workers = [asyncio.create_task(work()) for work in parts.background]
        stack.push_async_callback(_end, workers)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        yield Formulation(infrastructure, FormulationServiceStub(channel), others, clock)


@pytest.fixture(autouse=True)
async def _reachable(formulation: Formulation) -> None:
    formulation.others.away = False
    formulation.clock.ahead = timedelta()


async def refused(call: Any) -> DomainError:
    """The refusal of a call that must be refused."""
    with pytest.raises(DomainError) as caught:
        await call
    return caught.value


async def _end(workers: list[asyncio.Task[None]]) -> None:
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


def _settings(stack: Stack, others: str) -> FormulationSettings:
    values = {name.removeprefix("ECM_").lower(): value for name, value in stack.env("formulation").items()}
    here = {"listen": "127.0.0.1:0", "referrals_address": others, "consent_address": others, "metrics_listen": ""}
    known = FormulationSettings.model_fields.keys()
    return FormulationSettings(**{name: value for name, value in (values | here).items() if name in known})
