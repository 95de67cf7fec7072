"""Others' records as far as the rules need them, and the narrowings that overlay them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from ecm.consent.model.facts import Fact, Narrowed, shows
from ecm.consent.tables import fact, narrowed
from ecm.kit.db.uow import Tx


async def lock_child(tx: Tx, child_id: UUID) -> None:
    """Waits until nobody else decides about this child; held until the transaction ends."""
    key = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await tx.conn.execute(key, {"key": f"ecm-consent:{child_id}"})


async def find(tx: Tx, record_id: UUID) -> Fact | None:
    """The record at the newest version known here."""
    row = (await tx.conn.execute(select(fact).where(fact.c.record_id == record_id))).first()
    return _fact(row) if row else None


async def of_child(tx: Tx, child_id: UUID) -> list[Fact]:
    """Everything known of the child."""
    rows = await tx.conn.execute(select(fact).where(fact.c.child_id == child_id).order_by(fact.c.record_id))
    return [_fact(row) for row in rows]


async def save(tx: Tx, found: Fact) -> None:
    """Keeps the version unless a newer one is known, and settles the narrowings that it shows."""
    values = {
        "record_id": UUID(found.record_id),
        "kind": found.kind,
        "child_id": UUID(found.child_id),
        "case_id": UUID(found.case_id) if found.case_id else None,
        "yot": found.yot,
        "version": found.version,
        "closed": found.closed,
        "terms": dict(found.terms),
    }
    statement = insert(fact).values(values)
    newer = {name: statement.excluded[name] for name in values if name != "record_id"}
    await tx.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["record_id"], set_=newer, where=fact.c.version < statement.excluded.version
        )
    )
    await _settle(tx, found)


async def narrowings_of(tx: Tx, child_id: UUID) -> list[Narrowed]:
    """The narrowings of the child that no record shows yet."""
    query = select(narrowed).where(narrowed.c.child_id == child_id, narrowed.c.settled.is_(False))
    rows = await tx.conn.execute(query.order_by(narrowed.c.version, narrowed.c.narrowing_id))
    return [_narrowed(row) for row in rows]


async def narrow(tx: Tx, child_id: UUID, one: Narrowed) -> None:
    """Keeps a narrowing; at once settled where the record shows it already. Twice is once."""
    known = await find(tx, UUID(one.record_id))
    values = {
        "narrowing_id": UUID(one.narrowing_id),
        "child_id": child_id,
        "kind": one.kind,
        "record_id": UUID(one.record_id),
        "version": one.version,
        "terms": dict(one.terms),
        "settled": known is not None and _settles(known, one),
    }
    await tx.conn.execute(insert(narrowed).values(values).on_conflict_do_nothing())


async def children(tx: Tx) -> Sequence[UUID]:
    """Every child of whom anything is known."""
    return (await tx.conn.execute(select(fact.c.child_id).distinct())).scalars().all()


async def database_now(tx: Tx) -> Any:
    """The database's clock, read now: the transaction's own time is older than its wait for a lock."""
    return (await tx.conn.execute(select(func.clock_timestamp()))).scalar_one()


async def _settle(tx: Tx, found: Fact) -> None:
    query = select(narrowed).where(narrowed.c.record_id == UUID(found.record_id), narrowed.c.settled.is_(False))
    for row in (await tx.conn.execute(query)).all():
        if _settles(found, _narrowed(row)):
            done = update(narrowed).where(narrowed.c.narrowing_id == row.narrowing_id)
            await tx.conn.execute(done.values(settled=True))


def _settles(found: Fact, one: Narrowed) -> bool:
    # A record withheld from everyone never comes back: there is nothing to settle.
    return (one.kind != "RECORD" or bool(one.terms["agency"])) and shows(found, one)


def _fact(row: Row[Any]) -> Fact:
    return Fact(
        record_id=str(row.record_id),
        kind=row.kind,
        child_id=str(row.child_id),
        case_id=str(row.case_id or ""),
        yot=row.yot,
        version=row.version,
        closed=row.closed,
        terms=row.terms,
    )


def _narrowed(row: Row[Any]) -> Narrowed:
    return Narrowed(str(row.narrowing_id), row.kind, str(row.record_id), row.version, row.terms)
