"""Narrowings and their moments: recorded (R), journaled, enforced (E), answered (A)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.consent.store.sets import NOTHING, Version
from ecm.consent.tables import grant_set, narrowing, standing
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason

_c = narrowing.c
PORTION = 1000


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One narrowing. `subject` is a child, or the region (nil); `version` the set's that has it."""

    narrowing_id: UUID
    subject: UUID
    kind: str
    record_id: UUID | None
    version: Version
    recorded_at: datetime
    journaled_at: datetime | None
    enforced_at: datetime | None
    answered_at: datetime | None


async def record(
    tx: Tx, subject: UUID, kind: str, version: Version, *, record_id: UUID | None, narrowing_id: UUID | None = None
) -> UUID:
    """R. Nothing is to be enforced where the exchange never had a set of the subject."""
    made = narrowing_id or tx.ids.uuid()
    recorded_at = (await tx.conn.execute(select(func.clock_timestamp()))).scalar_one()
    values = {
        "narrowing_id": made,
        "subject": subject,
        "kind": kind,
        "record_id": record_id,
        "epoch": version[0],
        "version": version[1],
        "recorded_at": recorded_at,
        "enforced_at": recorded_at if version == NOTHING else None,
    }
    await tx.conn.execute(insert(narrowing).values(values).on_conflict_do_nothing())
    return made


async def get(conn: AsyncConnection, narrowing_id: UUID) -> Narrowing:
    """The narrowing; NOT_FOUND."""
    found = await find(conn, narrowing_id)
    if found is None:
        raise DomainError(Reason.NOT_FOUND, "There is no narrowing with this id.")
    return found


async def find(conn: AsyncConnection, narrowing_id: UUID) -> Narrowing | None:
    """The narrowing, if there is one with this id."""
    row = (await conn.execute(select(narrowing).where(_c.narrowing_id == narrowing_id))).first()
    return _narrowing(row) if row else None


async def latest_of(conn: AsyncConnection, record_id: UUID) -> Narrowing | None:
    """The newest narrowing that a record caused."""
    query = select(narrowing).where(_c.record_id == record_id).order_by(_c.recorded_at.desc()).limit(1)
    row = (await conn.execute(query)).first()
    return _narrowing(row) if row else None


async def unjournaled(conn: AsyncConnection, limit: int) -> Sequence[Narrowing]:
    """Narrowings that a crash kept out of the journal."""
    query = select(narrowing).where(_c.journaled_at.is_(None)).order_by(_c.recorded_at).limit(limit)
    return [_narrowing(row) for row in await conn.execute(query)]


async def known(conn: AsyncConnection, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these the database has. In portions: a statement takes 32,767 parameters at most."""
    found: set[UUID] = set()
    for start in range(0, len(ids), PORTION):
        portion = _c.narrowing_id.in_(ids[start : start + PORTION])
        found.update((await conn.execute(select(_c.narrowing_id).where(portion))).scalars())
    return frozenset(found)


async def journaled(conn: AsyncConnection, narrowing_id: UUID) -> None:
    """It stands in the journal."""
    row = update(narrowing).where(_c.narrowing_id == narrowing_id, _c.journaled_at.is_(None))
    await conn.execute(row.values(journaled_at=func.clock_timestamp()))


async def enforced(conn: AsyncConnection, subject: UUID, acked: Version, at: datetime) -> None:
    """E of every narrowing of the subject up to the acknowledged set."""
    row = update(narrowing).where(_c.subject == subject, _c.enforced_at.is_(None))
    await conn.execute(row.where(tuple_(_c.epoch, _c.version) <= tuple_(*acked)).values(enforced_at=at))


async def enforced_meanwhile(conn: AsyncConnection) -> None:
    """E of what the present database had acknowledged before: for a set that stayed as it was, nobody asks it again."""
    has_it = (
        (grant_set.c.subject == _c.subject)
        & (grant_set.c.acked_incarnation == standing.c.incarnation)
        & (tuple_(grant_set.c.acked_epoch, grant_set.c.acked_version) >= tuple_(_c.epoch, _c.version))
    )
    row = update(narrowing).where(_c.enforced_at.is_(None), has_it, standing.c.alone == standing.c.ordinal)
    await conn.execute(row.values(enforced_at=func.clock_timestamp()))


async def still_open(conn: AsyncConnection) -> Sequence[UUID]:
    """Narrowings before E."""
    return (await conn.execute(select(_c.narrowing_id).where(_c.enforced_at.is_(None)))).scalars().all()


async def enforced_by_time(conn: AsyncConnection, narrowing_ids: Sequence[UUID]) -> None:
    """E of these: nothing can leave any more by a lease that was given before them."""
    row = update(narrowing).where(_c.narrowing_id.in_(narrowing_ids), _c.enforced_at.is_(None))
    await conn.execute(row.values(enforced_at=func.clock_timestamp()))


async def answered(conn: AsyncConnection, narrowing_id: UUID) -> None:
    """A: the first time that the caller hears ENFORCED."""
    row = update(narrowing).where(_c.narrowing_id == narrowing_id, _c.answered_at.is_(None))
    await conn.execute(row.values(answered_at=func.clock_timestamp()))


def _narrowing(row: Row[Any]) -> Narrowing:
    return Narrowing(
        narrowing_id=row.narrowing_id,
        subject=row.subject,
        kind=row.kind,
        record_id=row.record_id,
        version=(row.epoch, row.version),
        recorded_at=row.recorded_at,
        journaled_at=row.journaled_at,
        enforced_at=row.enforced_at,
        answered_at=row.answered_at,
    )
