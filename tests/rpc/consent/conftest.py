"""`consent` as a process of its own on real PostgreSQL, Kafka and issuer, its neighbours stood in for."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from aiokafka import AIOKafkaProducer

from ecm.admin.names import app_role
from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.api.formulation.v1 import formulation_events_pb2 as formulation_events
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1 import referrals_events_pb2 as referrals_events
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.kit.bus.events import Event, encode_headers
from ecm.kit.bus.topics import service_topic
from ecm.kit.db.migrations import migrate
from ecm.kit.errors import DomainError
from ecm.kit.rpc.status import from_rpc_error
from ecm.local.ports import free_ports
from ecm.local.stack import Stack
from rpc.consent.builders import agreement, give
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

    async def start(self) -> None:
        """Starts the process and waits until it answers."""
        command = (sys.executable, "-m", "ecm.consent.app")
        log = self.journal.with_name("consent.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(*command, env=self.environment, stdout=log, stderr=log)
        self.channel = grpc.aio.insecure_channel(self.environment["ECM_LISTEN"])
        await asyncio.wait_for(self.channel.channel_ready(), 90)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends the process; SIGKILL leaves it no time for anything."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await asyncio.wait_for(self.process.wait(), 20)
        if self.channel is not None:
            await self.channel.close()

    async def tell(self, owner: str, version: Any) -> None:
        """Publishes the owner's thin event of a version that it keeps."""
        module = {"referrals": referrals_events, "formulation": formulation_events}[owner]
        changed: Any = module.RecordChanged(
            record_id=version.record_id,
            child_id=version.child_id,
            case_id=version.case_id,
            kind=module.RecordKind.Value(f"RECORD_KIND_{version.kind}"),
            version=version.version,
            change=version.change,
        )
        value, kind = changed.SerializeToString(), changed.DESCRIPTOR.full_name
        event = Event(str(uuid4()), kind, f"/example/{owner}", datetime.now(UTC), version.child_id, "", value)
        account = self.stack.kafka(f"ecm-{owner}")
        producer = AIOKafkaProducer(
            bootstrap_servers=account.bootstrap,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=account.username,
            sasl_plain_password=account.password,
        )
        async with producer:
            topic = service_topic("example", owner)
            await producer.send_and_wait(topic, value, key=event.key.encode(), headers=encode_headers(event))

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

    def keep_child(self, child_id: str, *, born: tuple[int, int, int], **more: Any) -> Any:
        """The next version of a child's file."""
        content = referrals.Child(family_name="Invented-Name", protected_flags=more.pop("flags", []))
        content.date_of_birth.year, content.date_of_birth.month, content.date_of_birth.day = born
        return self.kept.keep("CHILD", child_id, content, child_id=child_id, **more)

    def keep_case(self, child_id: str, case_id: str, *, state: str = "ACCEPTED", **more: Any) -> Any:
        """The next version of a case."""
        content = referrals.Case(state=referrals.CaseState.Value(f"CASE_STATE_{state}"))
        return self.kept.keep("CASE", case_id, content, child_id=child_id, **more)

    def keep_formulation(self, kind: str, child_id: str, case_id: str, record_id: str = "", **terms: Any) -> Any:
        """The next version of an INVITATION, CONTRIBUTION or REPORT; `closed` where it is closed."""
        closed = terms.pop("closed", False)
        content = getattr(formulation, kind.title())(**terms)
        known = {"child_id": child_id, "case_id": case_id, "closed": closed}
        return self.kept.keep(kind, record_id or str(uuid4()), content, **known)


@pytest.fixture(scope="session")
async def consent(infrastructure: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Consent]:
    await migrate("consent", infrastructure.database_url("consent", "owner"), app_role("consent"))
    kept, exchange = Kept(), Exchange()
    journal = tmp_path_factory.mktemp("consent") / "narrowings.jsonl"
    async with serving(kept, exchange) as address:
        environment = os.environ | infrastructure.env("consent")
        environment |= {f"ECM_{name}_ADDRESS": address for name in ("REFERRALS", "FORMULATION", "EXCHANGE")}
        environment |= {"ECM_LISTEN": f"127.0.0.1:{free_ports(1)[0]}", "ECM_METRICS_LISTEN": ""}
        environment |= {"ECM_NARROWING_JOURNAL": str(journal), "ECM_LEASE_SECONDS": "1"}
        running = Consent(infrastructure, environment, kept, exchange, journal)
        await running.start()
        try:
            yield running
        finally:
            await running.stop()


@pytest.fixture(scope="session")
async def agreed(consent: Consent) -> Consent:
    """The example region's two agreements, proposed by one and approved by another."""
    report = values_pb2.CATEGORY_REPORT
    psychology = agreement("nhs-psychology", consent=True, key="psychology-1")
    lines = (values_pb2.CATEGORY_INVITATION, report)
    council = agreement("la-eastvale", consent=False, categories=lines, circulated=(report,), key="local-authority-1")
    for one in (psychology, council):
        request = service.ProposeAgreementRequest(agreement=one)
        ref = (await consent.call("ProposeAgreement", request, "administrator")).ref
        approval = service.ApproveAgreementRequest(agreement_id=ref.record_id, expected_version=ref.version)
        await consent.call("ApproveAgreement", approval, "data-protection-officer")
    return consent


async def given(consent: Consent) -> tuple[str, str]:
    """A child whose consent was given, and reached the exchange."""
    child_id, case_id = consent.child()
    await consent.call("GiveConsent", give(case_id))
    await consent.exchange.until(child_id, opens_all)
    return child_id, case_id


def opens_all(held: Any) -> bool:
    """Whether psychology has every category."""
    return {grant.category for grant in held.grants if grant.category} == set(range(1, 11))


def empty(held: Any) -> bool:
    """Whether nobody has anything."""
    return not held.grants


@pytest.fixture
def refusal() -> Callable[[Awaitable[Any]], Awaitable[DomainError]]:
    """Awaits a call that must be refused; the refusal."""

    async def refused(call: Awaitable[Any]) -> DomainError:
        with pytest.raises(DomainError) as caught:
            await call
        return caught.value

    return refused
