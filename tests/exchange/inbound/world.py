"""An exchange's inward side, and owners that a test fills. Every name and number is invented."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.common.v1.values_pb2 import Category, Date, View
from ecm.api.consent.v1.consent_records_pb2 import Grant
from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.exchange.disclosure.predicate import consent_predicate
from ecm.exchange.grants import Grants
from ecm.exchange.projection import Projection
from ecm.exchange.projection.directory import mapping_context
from ecm.exchange.projection.worker import ChildWorker
from ecm.exchange.streams.numbering import Numbering
from ecm.exchange.streams.reconcile import Reconciliation
from ecm.kit.clock import SystemClock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from ecm.kit.region import Region
from exchange.owners import Owner, Owners

PSYCHOLOGY, COUNCIL = "nhs-psychology", "la-eastvale"
PURPOSE = "direct-care"
LINES = {
    (agency, category): uuid4()
    for agency in (PSYCHOLOGY, COUNCIL)
    for category in ("referral", "invitation", "formulation", "report")
}


@dataclass
class FakeLease:
    """A lease that a test takes away."""

    held: bool = True

    def require(self) -> None:
        if not self.held:
            raise DomainError(Reason.LEASE_EXPIRED, "No word from consent.")


def child_content(**changes: Any) -> referrals.Child:
    """An invented child's file."""
    fields: dict[str, Any] = {
        "given_names": ["Quillon"],
        "family_name": "Zephyrson",
        "date_of_birth": Date(year=2012, month=6, day=15),
        "nhs_number": "9990000018",
        "local_case_number": "EV-0001",
        "address": referrals.Address(lines=["4 Invented Terrace"], town="Nowhereton", postcode="ZZ99 3WZ"),
    }
    return referrals.Child(**(fields | changes))


@dataclass
class World:
    """The parts, and what a test asks of them."""

    engine: AsyncEngine
    region: Region
    owners: Owners
    lease: FakeLease
    projection: Projection
    grants: Grants
    reconciliation: Reconciliation
    worker: ChildWorker
    numbering: Numbering
    version: int = 0

    @classmethod
    def over(cls, engine: AsyncEngine, region: Region, services: Mapping[str, Owner]) -> "World":
        clock, ids, owners, lease = SystemClock(), RandomIds(), Owners(services), FakeLease()
        numbering = Numbering(ids, b"k" * 32)
        reconciliation = Reconciliation(engine, numbering, lease)
        projection = Projection(engine, owners, mapping_context(region), ids)
        grants = Grants(engine, clock, reconciliation)
        worker = ChildWorker(engine, projection, reconciliation, clock)
        return cls(engine, region, owners, lease, projection, grants, reconciliation, worker, numbering)

    async def child(self, **changes: Any) -> UUID:
        """A child's file with a case, at its owner."""
        child = uuid4()
        await self.owners.put("referrals", "CHILD", child, child_content(**changes), child)
        await self.owners.put("referrals", "CASE", child, referrals.Case(state=referrals.CASE_STATE_ACCEPTED))
        return child

    async def open_region(self, lines: dict[tuple[str, str], UUID] | None = None) -> wire.ApplyRegionResponse:
        """The region's lines and clients, as consent sends them."""
        self.version += 1
        held = [
            wire.Line(line_id=str(line), recipient=agency, category=category_value(category), purposes=[PURPOSE],
                      agreement="agreement-1", legal_basis="invented", valid_from=Timestamp(seconds=1_700_000_000))
            for (agency, category), line in (LINES if lines is None else lines).items()
        ]  # fmt: skip
        clients = [
            wire.Client(client_id=agency, agency=agency, purpose=PURPOSE, topic=True)
            for agency in (PSYCHOLOGY, COUNCIL)
        ]
        request = wire.ApplyRegionRequest(epoch=1, version=self.version, lines=held, clients=clients)
        return await self.grants.apply_region(request)

    async def grant(self, child: UUID, *granted: Grant, withheld: tuple[UUID, ...] = ()) -> wire.ApplyGrantsResponse:
        """The child's whole set, at the next version."""
        self.version += 1
        restrictions = [wire.Restriction(record_id=str(record)) for record in withheld]
        request = wire.ApplyGrantsRequest(
            child_id=str(child), epoch=1, version=self.version, grants=granted, restrictions=restrictions
        )
        return await self.grants.apply_child(request)

    async def project(self, record: UUID) -> None:
        """Follows the owner to the record's newest version."""
        newest = self.owners.held[record].version
        service = self.owners.service_of[record]
        await self.projection.project(service, record, newest, time.monotonic() + 5)

    async def look(self) -> None:
        """What the worker does when it is woken."""
        async with self.turn() as connection:
            await self.worker.work(connection)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Any]:
        """The connection on which a worker does what it alone does."""
        url = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(url, ssl=False)
        try:
            yield connection
        finally:
            await connection.close()

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.engine.connect() as conn:
            return list((await conn.execute(text(sql), values)).all())

    async def visible(self, agency: str, child: UUID) -> dict[str, Any]:
        """What the predicate lets an agency see of the child: type → body (the last one)."""
        seen = consent_predicate("r", recipient=":agency", purpose=":purpose", at="clock_timestamp()")
        found = await self.rows(
            f"SELECT r.type, r.body FROM resource r WHERE r.child_id = :child AND {seen}",
            agency=agency, purpose=PURPOSE, child=child,
        )  # fmt: skip
        return {row.type: orjson.loads(row.body) for row in found}

    async def events(self, client: str = PSYCHOLOGY) -> list[tuple[str, int]]:
        """Kind and number of what a client's topic gets, in order."""
        found = await self.rows(
            "SELECT event_type, sequence FROM partner_outbox WHERE client_id = :client ORDER BY id", client=client
        )
        return [(row.event_type, row.sequence) for row in found]


def category_value(name: str) -> int:
    return int(Category.Value("CATEGORY_" + name.upper().replace("-", "_")))


def patient_grant(agency: str = PSYCHOLOGY, view: int = View.VIEW_FULL, line: str = "referral") -> Grant:
    """The child's Patient."""
    return Grant(recipient=agency, patient=True, purposes=[PURPOSE], view=view, line_id=str(LINES[agency, line]))  # type: ignore[arg-type]


def category_grant(name: str, agency: str = PSYCHOLOGY, view: int = View.VIEW_FULL) -> Grant:
    """Every resource of a category."""
    line = str(LINES[agency, name])
    return Grant(recipient=agency, category=category_value(name), purposes=[PURPOSE], view=view, line_id=line)  # type: ignore[arg-type]


def expiring(grant: Grant, seconds: float) -> Grant:
    """The same until some time from now."""
    grant.valid_until.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return grant
