"""`ApplyGrants` and `ApplyRegion`: the sets that `consent` compiled, as they are enforced.

One transaction each. Its commit is E: whoever asks afterwards is answered by
the new set, since the locks of all agencies that it touches were waited for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import delete, insert, select, text, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.api.common.v1.values_pb2 import Category
from ecm.api.consent.v1.consent_records_pb2 import Grant
from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.exchange.locks import lock_agencies, lock_child, lock_region
from ecm.exchange.mapping.elements import enum_code
from ecm.exchange.mapping.ids import record_ids
from ecm.exchange.projection.attention import look_at, look_at_agencies
from ecm.exchange.streams.reconcile import Reconciliation, topic_clients
from ecm.exchange.tables.projection import projected_child
from ecm.exchange.tables.sets import client, exchange_state, grant_set, grants, line, withheld
from ecm.kit.clock import Clock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid

A = TypeVar("A", wire.ApplyGrantsResponse, wire.ApplyRegionResponse)
Row = dict[str, Any]

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """At which version a set stands, since when, in which database."""

    epoch: int
    version: int
    at: datetime
    incarnation: UUID

    def answer(self, response_type: type[A]) -> A:
        """As `consent` is answered."""
        enforced = Timestamp()
        enforced.FromDatetime(self.at)
        return response_type(
            epoch=self.epoch, version=self.version, enforced_at=enforced, incarnation=str(self.incarnation)
        )


class Grants:
    """Replaces sets, and tells partners' topics what closed."""

    def __init__(self, engine: AsyncEngine, clock: Clock, reconciliation: Reconciliation) -> None:
        self._engine = engine
        self._clock = clock
        self._reconciliation = reconciliation

    async def apply_child(self, request: wire.ApplyGrantsRequest) -> wire.ApplyGrantsResponse:
        """Replaces one child's grants and restrictions; a lower or equal (epoch, version) changes nothing.

        INVALID_VALUE for a set that can't be read: it is refused whole.
        """
        child_id = parse_uuid(request.child_id, "child_id")
        rows = [_grant_row(child_id, grant) for grant in request.grants]
        restricted = [parse_uuid(item.record_id, "restrictions.record_id") for item in request.restrictions]
        async with self._engine.begin() as conn:
            await lock_child(conn, child_id)
            stands = await _child_standing(conn, child_id)
            if stands is not None and (request.epoch, request.version) <= (stands.epoch, stands.version):
                return stands.answer(wire.ApplyGrantsResponse)
            agencies = {*await _recipients(conn, child_id), *(row["recipient"] for row in rows)}
            await lock_agencies(conn, agencies)
            await _replace_child(conn, child_id, rows, restricted)
            made = await _stand_child(conn, child_id, request.epoch, request.version)
            await self._tell_closed(conn, agencies, child_id)
            await look_at(conn, child_id)
        return self._enforced(made).answer(wire.ApplyGrantsResponse)

    async def apply_region(self, request: wire.ApplyRegionRequest) -> wire.ApplyRegionResponse:
        """Replaces the region's lines and clients; locks every agency that it changes."""
        lines, clients = [_line_row(item) for item in request.lines], [_client_row(item) for item in request.clients]
        async with self._engine.begin() as conn:
            await lock_region(conn)
            stands = await _region_standing(conn, self._clock.now())
            if (request.epoch, request.version) <= (stands.epoch, stands.version):
                return stands.answer(wire.ApplyRegionResponse)
            agencies = await _changed_agencies(conn, lines, clients)
            await lock_agencies(conn, agencies)
            await _replace_region(conn, lines, clients)
            await conn.execute(
                update(exchange_state).values(region_epoch=request.epoch, region_version=request.version)
            )
            await self._tell_closed(conn, agencies, None)
            await look_at_agencies(conn, agencies)
            made = await _region_standing(conn, self._clock.now())
        return self._enforced(made).answer(wire.ApplyRegionResponse)

    async def _tell_closed(self, conn: AsyncConnection, agencies: Iterable[str], child_id: UUID | None) -> None:
        for known in await topic_clients(conn, agencies):
            await self._reconciliation.close(conn, known, child_id)

    def _enforced(self, made: Standing) -> Standing:
        """E is the commit: told as the moment after it."""
        return Standing(made.epoch, made.version, self._clock.now(), made.incarnation)


async def _child_standing(conn: AsyncConnection, child_id: UUID) -> Standing | None:
    both = grant_set.join(exchange_state, true())
    columns = (grant_set.c.epoch, grant_set.c.version, grant_set.c.applied_at, exchange_state.c.incarnation)
    row = (await conn.execute(select(*columns).select_from(both).where(grant_set.c.child_id == child_id))).first()
    return Standing(*row) if row else None


async def _region_standing(conn: AsyncConnection, at: datetime) -> Standing:
    row = (await conn.execute(select(exchange_state))).one()
    return Standing(row.region_epoch, row.region_version, at, row.incarnation)


async def _recipients(conn: AsyncConnection, child_id: UUID) -> list[str]:
    query = select(grants.c.recipient).where(grants.c.child_id == child_id).distinct()
    return list((await conn.execute(query)).scalars())


async def _replace_child(conn: AsyncConnection, child_id: UUID, rows: list[Row], restricted: list[UUID]) -> None:
    await conn.execute(delete(grants).where(grants.c.child_id == child_id))
    await conn.execute(delete(withheld).where(withheld.c.child_id == child_id))
    if restricted:
        records = {named for record in restricted for named in record_ids(record)}
        hidden = [{"child_id": child_id, "record_id": record} for record in records]
        await conn.execute(insert(withheld), hidden)
    if rows:
        await conn.execute(insert(grants), rows)
        # From the first grant on the exchange holds the child.
        await conn.execute(upsert(projected_child).values(child_id=child_id).on_conflict_do_nothing())


async def _stand_child(conn: AsyncConnection, child_id: UUID, epoch: int, version: int) -> Standing:
    values = {"epoch": epoch, "version": version, "applied_at": text("clock_timestamp()")}
    statement = upsert(grant_set).values(child_id=child_id, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["child_id"], set_=values))
    made = await _child_standing(conn, child_id)
    assert made is not None
    return made


async def _replace_region(conn: AsyncConnection, lines: list[Row], clients: list[Row]) -> None:
    await conn.execute(delete(line))
    await conn.execute(delete(client))
    if lines:
        await conn.execute(insert(line), lines)
    if clients:
        await conn.execute(insert(client), clients)


async def _changed_agencies(conn: AsyncConnection, lines: list[Row], clients: list[Row]) -> set[str]:
    """The agencies one of whose lines or clients is new, other or gone."""
    old_lines = [dict(row) for row in (await conn.execute(select(line))).mappings()]
    old_clients = [dict(row) for row in (await conn.execute(select(client))).mappings()]
    return _differing(old_lines, lines, "recipient") | _differing(old_clients, clients, "agency")


def _differing(old: list[Row], new: list[Row], agency: str) -> set[str]:
    before, after = ({(row[agency], _comparable(row)) for row in rows} for rows in (old, new))
    return {name for name, _ in before ^ after}


def _comparable(row: Row) -> str:
    """A row's values as text, alike from a request and from the database, whose driver has types of its own."""
    values = ((name, _plain(value)) for name, value in sorted(row.items()))
    return repr(list(values))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return "never" if value.year == NEVER.year else str(value.timestamp())
    return str(value)


def _grant_row(child_id: UUID, grant: Grant) -> Row:
    target = grant.WhichOneof("target")
    if target is None or not grant.recipient or not grant.view:
        raise DomainError(Reason.INVALID_VALUE, "A grant names its recipient, target and view.", field="grants")
    return {
        "child_id": child_id,
        "recipient": grant.recipient,
        "case_id": _optional_uuid(grant.case_id, "grants.case_id"),
        "category": enum_code(Category, grant.category) or None,
        "record_id": _optional_uuid(grant.record_id, "grants.record_id"),
        "patient": grant.patient,
        "purposes": list(grant.purposes),
        "view": int(grant.view),
        **_validity(grant),
        "line_id": _optional_uuid(grant.line_id, "grants.line_id"),
        "override_id": _optional_uuid(grant.override_id, "grants.override_id"),
        "basis": grant.basis,
    }


def _line_row(item: wire.Line) -> Row:
    return {
        "line_id": parse_uuid(item.line_id, "lines.line_id"),
        "recipient": item.recipient,
        "category": enum_code(Category, item.category),
        "purposes": list(item.purposes),
        **_validity(item),
        "agreement": item.agreement,
        "legal_basis": item.legal_basis,
    }


def _client_row(item: wire.Client) -> Row:
    return {
        "client_id": item.client_id,
        "agency": item.agency,
        "purpose": item.purpose,
        "blocked": item.blocked,
        "topic": item.topic,
    }


def _validity(item: Grant | wire.Line) -> Row:
    try:
        begins = item.valid_from.ToDatetime(tzinfo=UTC) if item.HasField("valid_from") else ALWAYS
        ends = item.valid_until.ToDatetime(tzinfo=UTC) if item.HasField("valid_until") else NEVER
    except ValueError:
        raise DomainError(Reason.INVALID_VALUE, "A grant's or line's time isn't one.", field="valid_from") from None
    return {"valid_from": begins, "valid_until": ends}


def _optional_uuid(value: str, field: str) -> UUID | None:
    return parse_uuid(value, field) if value else None
