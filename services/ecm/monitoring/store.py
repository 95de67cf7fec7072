"""What `monitoring` keeps: its kinds of records, what it heard, caseload periods, supervision sessions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from ecm.api.common.v1.record_pb2 import CHANGE_CLOSED, RecordVersion
from ecm.api.monitoring.v1 import monitoring_events_pb2 as events_pb2
from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Outcome, Plan, Review, Supervision
from ecm.kit.db.changes import Kinds, RecordEvents
from ecm.kit.db.uow import Tx
from ecm.monitoring.model.days import wire
from ecm.monitoring.model.facts import Fact, FactName
from ecm.monitoring.tables import caseload_period, fact, heard, supervision

# Clinical supervision is no record: it stands in a table of its own, outside of outbox and topics (checklist 216).
KINDS: Kinds = {
    "PLAN": (events_pb2.RECORD_KIND_PLAN, Plan),
    "REVIEW": (events_pb2.RECORD_KIND_REVIEW, Review),
    "OUTCOME": (events_pb2.RECORD_KIND_OUTCOME, Outcome),
    "CASELOAD": (events_pb2.RECORD_KIND_CASELOAD, Caseload),
}


def record_events() -> RecordEvents:
    """How this service's records become events."""
    return RecordEvents(KINDS, events_pb2.RecordChanged)


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case, as far as `monitoring` has to know it."""

    case_id: UUID
    child_id: UUID
    yot: str


async def keep_heard(tx: Tx, newest: RecordVersion, facts: Sequence[Fact] | None) -> bool:
    """Replaces what is known of a record; False where something as new is known already.

    `facts` None leaves those that are there.
    """
    values = _heard_values(newest)
    statement = upsert(heard).values(values)
    statement = statement.on_conflict_do_update(
        index_elements=[heard.c.record_id], set_=values, where=heard.c.version < newest.version
    )
    if (await tx.conn.execute(statement.returning(heard.c.record_id))).first() is None:
        return False
    if facts is not None:
        await _replace_facts(tx, values["record_id"], facts)
    return True


async def heard_version(tx: Tx, record_id: UUID) -> int:
    """The version whose facts are kept; 0 where the record was never heard of."""
    found = await tx.conn.execute(select(heard.c.version).where(heard.c.record_id == record_id))
    return found.scalar() or 0


async def known_case(tx: Tx, case_id: UUID, *, lock: bool = False) -> KnownCase | None:
    """The case, unless it was never heard of or is erased; `lock` makes others wait who change what hangs on it."""
    query = select(heard).where(heard.c.record_id == case_id, heard.c.kind == "CASE", heard.c.closed.is_(False))
    row = (await tx.conn.execute(query.with_for_update() if lock else query)).first()
    return KnownCase(row.record_id, row.child_id, row.yot) if row else None


async def cases_of_yot(tx: Tx, yot: str) -> list[KnownCase]:
    """Every case of the YOT that was ever heard of, erased ones too: what was counted stays counted."""
    rows = await tx.conn.execute(select(heard).where(heard.c.yot == yot, heard.c.kind == "CASE"))
    return [KnownCase(row.record_id, row.child_id, row.yot) for row in rows]


async def facts_of_cases(tx: Tx, case_ids: Sequence[UUID]) -> Mapping[UUID, list[Fact]]:
    """The facts of each of the cases, earliest first."""
    joined = select(heard.c.case_id, fact).join(fact, fact.c.record_id == heard.c.record_id)
    rows = await tx.conn.execute(joined.where(heard.c.case_id.in_(case_ids)).order_by(fact.c.on_day, fact.c.n))
    found: dict[UUID, list[Fact]] = defaultdict(list)
    for row in rows:
        found[row.case_id].append(_fact(row))
    return found


async def caseload_record(tx: Tx, yot: str, first: date, last: date) -> UUID | None:
    """The record of a YOT's caseload in exactly that period."""
    t = caseload_period.c
    query = select(t.record_id).where(t.yot == yot, t.first_day == first, t.last_day == last)
    return (await tx.conn.execute(query)).scalar()


async def claim_caseload(tx: Tx, yot: str, first: date, last: date, record_id: UUID) -> bool:
    """Makes `record_id` the record of that YOT and period; False where there is one."""
    values = {"yot": yot, "first_day": first, "last_day": last, "record_id": record_id}
    statement = upsert(caseload_period).values(values).on_conflict_do_nothing()
    return (await tx.conn.execute(statement.returning(caseload_period.c.record_id))).first() is not None


async def add_supervision(tx: Tx, yot: str, held_on: date, session: Supervision) -> UUID:
    """Keeps that a session took place; returns its random id."""
    session_id = tx.ids.uuid()
    values = {"supervision_id": session_id, "yot": yot, "held_on": held_on, "recorded_at": tx.now}
    values |= {"minutes": session.minutes, "in_group": session.group}
    await tx.conn.execute(insert(supervision).values(values))
    return session_id


async def supervisions(tx: Tx, yot: str, first: date, last: date) -> list[Supervision]:
    """The sessions of a YOT in a period."""
    t = supervision.c
    rows = await tx.conn.execute(select(supervision).where(t.yot == yot, t.held_on.between(first, last)))
    return [Supervision(held_on=wire(row.held_on), minutes=row.minutes, group=row.in_group) for row in rows]


def _heard_values(newest: RecordVersion) -> dict[str, Any]:
    record_id = UUID(newest.record_id)
    return {
        "record_id": record_id,
        "kind": newest.kind,
        "child_id": UUID(newest.child_id),
        "case_id": record_id if newest.kind == "CASE" else UUID(newest.case_id),
        "yot": newest.yot,
        "version": newest.version,
        "closed": newest.change == CHANGE_CLOSED,
    }


async def _replace_facts(tx: Tx, record_id: UUID, facts: Sequence[Fact]) -> None:
    await tx.conn.execute(delete(fact).where(fact.c.record_id == record_id))
    if facts:
        rows = [_fact_values(record_id, n, each) for n, each in enumerate(facts)]
        await tx.conn.execute(insert(fact), rows)


def _fact_values(record_id: UUID, n: int, each: Fact) -> dict[str, object]:
    values: dict[str, object] = {"record_id": record_id, "n": n, "name": each.name.value, "on_day": each.on}
    return values | {"reason": each.reason, "value": each.value, "due": each.due, "meeting_id": each.meeting_id}


def _fact(row: Row[Any]) -> Fact:
    return Fact(FactName(row.name), row.on_day, row.reason, row.value, row.due, row.meeting_id)
