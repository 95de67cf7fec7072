"""`consent` as a process of its own on real PostgreSQL, Kafka and issuer, its neighbours stood in for."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.kit.db.migrations import migrate
from ecm.kit.errors import DomainError
from ecm.kit.rpc.status import from_rpc_error
from ecm.local.names import app_role
from ecm.local.stack import Stack
from rpc.consent.neighbours import Exchange, Kept, serving


@dataclass
class Consent:
    """The service's process, its neighbours, and how to call it as somebody."""

    stack: Stack
    environment: dict[str, str]
    kept: Kept
    exchange: Exchange
    journal: Path
    process: asyncio.subprocess.Process | None = None
    channel: Any = None
    ids: list[str] = field(default_factory=list)

    async def start(self) -> None:
        """Starts the process and waits until it answers."""
        command = (sys.executable, "-m", "ecm.consent.app")
        log = self.journal.with_name("consent.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(*command, env=self.environment, stdout=log, stderr=log)
        self.channel = grpc.aio.insecure_channel(self.environment["ECM_LISTEN"])
        await asyncio.wait_for(self.channel.channel_ready(), 20)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends the process; SIGKILL leaves it no time for anything."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await asyncio.wait_for(self.process.wait(), 20)
        if self.channel is not None:
            await self.channel.close()

    async def call(self, method: str, request: Any, person: str = "case-manager", **more: Any) -> Any:
        """The answer, or the DomainError that the service refused with. `service`: as one of the services."""
        name = more.get("service")
        token = (
            self.stack.token(client=f"ecm-{name}", audience="ecm-consent") if name else self.stack.token(person=person)
        )
        metadata = (("authorization", f"Bearer {token}"), ("idempotency-key", more.get("key") or uuid4().hex))
        stub: Any = ConsentServiceStub(self.channel)
        try:
            return await getattr(stub, method)(request, metadata=metadata, timeout=more.get("timeout", 10))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    def child(self, *, born: tuple[int, int, int] = (2012, 6, 1), yot: str = "eastvale") -> tuple[str, str]:
        """(child, case) that `referrals` has, the case open."""
        child_id, case_id = str(uuid4()), str(uuid4())
        self.keep_child(child_id, born=born, yot=yot)
        self.keep_case(child_id, case_id, yot=yot)
        return child_id, case_id

    def keep_child(self, child_id: str, *, born: tuple[int, int, int], **more: Any) -> None:
        """The next version of a child's file."""
        content = referrals.Child(family_name="Invented-Name", protected_flags=more.pop("flags", []))
        content.date_of_birth.year, content.date_of_birth.month, content.date_of_birth.day = born
        self.kept.keep("CHILD", child_id, content, child_id=child_id, **more)

    def keep_case(self, child_id: str, case_id: str, *, state: str = "ACCEPTED", **more: Any) -> None:
        """The next version of a case."""
        content = referrals.Case(state=referrals.CaseState.Value(f"CASE_STATE_{state}"))
        self.kept.keep("CASE", case_id, content, child_id=child_id, **more)

    def keep_invitation(self, child_id: str, case_id: str, agency: str = "la-eastvale") -> tuple[str, str]:
        """(meeting, invitation) that `formulation` has."""
        meeting_id, record_id = str(uuid4()), str(uuid4())
        content = formulation.Invitation(meeting_id=meeting_id, agency=agency)
        self.kept.keep("INVITATION", record_id, content, child_id=child_id, case_id=case_id)
        return meeting_id, record_id


@pytest.fixture(scope="session")
async def consent(infrastructure: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Consent]:
    await migrate("consent", infrastructure.database_url("consent", "owner"), app_role("consent"))
    kept, exchange = Kept(), Exchange()
    journal = tmp_path_factory.mktemp("consent") / "narrowings.jsonl"
    async with serving(kept, exchange) as address:
        environment = os.environ | infrastructure.env("consent")
        environment |= {f"ECM_{name}_ADDRESS": address for name in ("REFERRALS", "FORMULATION", "EXCHANGE")}
        environment |= {"ECM_LISTEN": f"127.0.0.1:{_free_port()}", "ECM_METRICS_LISTEN": ""}
        environment |= {"ECM_NARROWING_JOURNAL": str(journal), "ECM_LEASE_SECONDS": "1"}
        service = Consent(infrastructure, environment, kept, exchange, journal)
        await service.start()
        try:
            yield service
        finally:
            await service.stop()


@pytest.fixture
def refusal() -> Callable[[Awaitable[Any]], Awaitable[DomainError]]:
    """Awaits a call that must be refused; the refusal."""

    async def refused(call: Awaitable[Any]) -> DomainError:
        with pytest.raises(DomainError) as caught:
            await call
        return caught.value

    return refused


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
