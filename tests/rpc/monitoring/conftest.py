"""`monitoring` by itself: the real service on real PostgreSQL, Kafka and issuer, its owners stood in for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from ecm.admin.names import app_role
from ecm.api.monitoring.v1.monitoring_service_pb2_grpc import MonitoringServiceStub
from ecm.kit.db.migrations import migrate
from ecm.kit.errors import DomainError
from ecm.kit.rpc.server import serving
from ecm.kit.rpc.status import from_rpc_error
from ecm.kit.service import runtime_of
from ecm.local.stack import Stack
from ecm.monitoring.app import SERVICES, build
from ecm.monitoring.policy import POLICY
from ecm.monitoring.settings import MonitoringSettings
from ecm.monitoring.store import record_events
from rpc.monitoring.owners import Kept, case, held_meeting, placement, serving_owners

HELD_ON = date(2026, 1, 31)


@dataclass
class Monitoring:
    """The running service, and how to call it as somebody."""

    stack: Stack
    stub: Any
    kept: Kept

    async def call(self, method: str, request: Any, person: str = "senior-practitioner", key: str = "") -> Any:
        """The answer, or the DomainError that the service refused with."""
        return await self.call_with(self.stack.token(person=person), method, request, key)

    async def call_with(self, token: str, method: str, request: Any, key: str = "") -> Any:
        """The same with any token."""
        metadata = (("authorization", f"Bearer {token}"), ("idempotency-key", key or uuid4().hex))
        try:
            return await getattr(self.stub, method)(request, metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    def accepted_case(self, yot: str = "eastvale", *, with_meeting: bool = True) -> tuple[UUID, UUID]:
        """(child, case) of an accepted case, with a meeting held and stage 4 placed."""
        child, case_id = uuid4(), uuid4()
        content = case("DISCUSSED", "POTENTIAL", "REFERRED", "ACCEPTED", on=HELD_ON)
        self.kept.keep("CASE", content, child_id=child, case_id=None, record_id=case_id, yot=yot)
        if with_meeting:
            self.kept.keep("MEETING", held_meeting(HELD_ON), child_id=child, case_id=case_id, yot=yot)
            self.kept.keep("RECOVERY_STAGE", placement(4, HELD_ON), child_id=child, case_id=case_id, yot=yot)
        return child, case_id


@pytest.fixture(scope="session")
async def monitoring(infrastructure: Stack) -> AsyncIterator[Monitoring]:
    kept = Kept()
    await migrate("monitoring", infrastructure.database_url("monitoring", "owner"), app_role("monitoring"))
    async with (
        serving_owners(kept) as owners,
        running(_settings(infrastructure, owners)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Monitoring(infrastructure, MonitoringServiceStub(channel), kept)


@asynccontextmanager
async def running(settings: MonitoringSettings) -> AsyncIterator[int]:
    """The service in this process; yields its port."""
    async with runtime_of(settings, record_events()) as runtime:
        parts = build(runtime)
        tasks = [asyncio.create_task(work()) for work in parts.background]
        served = serving(settings, SERVICES, parts.add_servicers, POLICY, runtime.verifier, region=runtime.region)
        async with served as port:
            yield port
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for peer in parts.peers:
            await peer.close()


@pytest.fixture
def refusal() -> Callable[[Awaitable[Any]], Awaitable[DomainError]]:
    """Awaits a call that must be refused; the refusal."""

    async def refused(call: Awaitable[Any]) -> DomainError:
        with pytest.raises(DomainError) as caught:
            await call
        return caught.value

    return refused


def _settings(stack: Stack, owners: str) -> MonitoringSettings:
    values = {name.removeprefix("ECM_").lower(): value for name, value in stack.env("monitoring").items()}
    here = {"listen": "127.0.0.1:0", "referrals_address": owners, "formulation_address": owners, "metrics_listen": ""}
    known = MonitoringSettings.model_fields.keys()
    return MonitoringSettings(**{name: value for name, value in (values | here).items() if name in known})
