"""The newest set of each subject, at (epoch, version), and what the exchange has acknowledged of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.consent.store import incarnations
from ecm.consent.tables import GRANT_VERSION, grant_set, recompile, standing

REGION = UUID(int=0)
"""The subject of the region's own set; all others are children."""

_c = grant_set.c
Version = tuple[int, int]
NOTHING: Version = (0, 0)

_QUEUE = text("""
    INSERT INTO recompile (child_id) SELECT * FROM unnest(CAST(:children AS uuid[])) ON CONFLICT DO NOTHING""")


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A subject's set. `message` lacks epoch and version; versions are (epoch, version)."""

    subject: UUID
    version: Version
    message: bytes
    acked: Version
    incarnation: str


async def find(conn: AsyncConnection, subject: UUID) -> StoredSet | None:
    """The subject's newest set, if it ever had one."""
    row = (await conn.execute(select(grant_set).where(_c.subject == subject))).first()
    return _stored(row) if row else None


async def save(conn: AsyncConnection, subject: UUID, message: bytes, *, narrows: bool) -> Version:
    """The subject's next set, its version drawn from the region's one counter; the caller holds the subject's lock."""
    drawn = await conn.execute(select(standing.c.epoch, func.nextval(GRANT_VERSION.name)))
    epoch, version = drawn.one()
    values = {
        "subject": subject,
        "epoch": epoch,
        "version": version,
        "message": message,
        "narrowed_epoch": epoch if narrows else 0,
        "narrowed_version": version if narrows else 0,
        "acked_epoch": 0,
        "acked_version": 0,
        "acked_incarnation": "",
    }
    changed = ["epoch", "version", "message", *(["narrowed_epoch", "narrowed_version"] if narrows else [])]
    statement = insert(grant_set).values(values)
    newer = {name: statement.excluded[name] for name in changed}
    await conn.execute(statement.on_conflict_do_update(index_elements=["subject"], set_=newer))
    return epoch, version


async def mark_narrowed(conn: AsyncConnection, subject: UUID) -> None:
    """The set stays as it is, and must be acknowledged before a lease is given."""
    row = update(grant_set).where(_c.subject == subject)
    await conn.execute(row.values(narrowed_epoch=_c.epoch, narrowed_version=_c.version))


async def acknowledge(conn: AsyncConnection, subject: UUID, acked: Version, incarnation: str) -> bool:
    """Notes what the exchange has; False where that is above all that we ever drew: then we were restored."""
    row = update(grant_set).where(_c.subject == subject, tuple_(_c.epoch, _c.version) >= tuple_(*acked))
    values = {"acked_epoch": acked[0], "acked_version": acked[1], "acked_incarnation": incarnation}
    older = or_(_c.acked_incarnation != incarnation, tuple_(_c.acked_epoch, _c.acked_version) < tuple_(*acked))
    await conn.execute(row.where(older).values(values))
    await incarnations.answers(conn, incarnation)
    found = await find(conn, subject)
    return found is not None and found.version >= acked


async def unacknowledged(conn: AsyncConnection, limit: int) -> Sequence[UUID]:
    """Subjects whose set the exchange's present database hasn't acknowledged: the region first, then narrowings."""
    lacking = or_(
        tuple_(_c.acked_epoch, _c.acked_version) < tuple_(_c.epoch, _c.version),
        _c.acked_incarnation != select(standing.c.incarnation).scalar_subquery(),
    )
    narrowed = tuple_(_c.acked_epoch, _c.acked_version) < tuple_(_c.narrowed_epoch, _c.narrowed_version)
    query = select(_c.subject).where(lacking).order_by(_c.subject != REGION, narrowed.desc(), _c.version)
    return (await conn.execute(query.limit(limit))).scalars().all()


async def region_acknowledged(conn: AsyncConnection, incarnation: str) -> bool:
    """Whether that incarnation has a set of the region, of whatever version: before, it knows no client."""
    query = select(_c.subject).where(_c.subject == REGION, _c.acked_incarnation == incarnation)
    return (await conn.execute(query)).first() is not None


async def narrowing_unacknowledged(conn: AsyncConnection, incarnation: str) -> bool:
    """Whether a set that took something away hasn't been acknowledged by that incarnation."""
    has_it = (_c.acked_incarnation == incarnation) & (
        tuple_(_c.acked_epoch, _c.acked_version) >= tuple_(_c.narrowed_epoch, _c.narrowed_version)
    )
    query = select(_c.subject).where(_c.narrowed_version > 0, ~has_it).limit(1)
    return (await conn.execute(query)).first() is not None


async def highest_acknowledged(conn: AsyncConnection) -> Version:
    """The highest version that any database of the exchange ever acknowledged."""
    query = select(_c.acked_epoch, _c.acked_version).order_by(_c.acked_epoch.desc(), _c.acked_version.desc()).limit(1)
    row = (await conn.execute(query)).first()
    return (row.acked_epoch, row.acked_version) if row else NOTHING


async def highest(conn: AsyncConnection) -> Version:
    """The highest version of all our sets."""
    query = select(_c.epoch, _c.version).order_by(_c.epoch.desc(), _c.version.desc()).limit(1)
    row = (await conn.execute(query)).first()
    return (row.epoch, row.version) if row else NOTHING


async def queue_all(conn: AsyncConnection, children: Sequence[UUID]) -> None:
    """These children's sets are to be compiled anew."""
    # One array, whatever its length: a statement has 32,767 parameters at most, and a region more children.
    await conn.execute(_QUEUE, {"children": list(children)})


async def queued(conn: AsyncConnection, limit: int, *, after: UUID | None = None) -> Sequence[UUID]:
    """Children to compile anew, in the order of their ids, those behind `after` where it is given."""
    query = select(recompile.c.child_id).order_by(recompile.c.child_id).limit(limit)
    if after is not None:
        query = query.where(recompile.c.child_id > after)
    return (await conn.execute(query)).scalars().all()


async def dequeue(conn: AsyncConnection, child_id: UUID) -> None:
    """This one has been, in this transaction."""
    await conn.execute(recompile.delete().where(recompile.c.child_id == child_id))


def _stored(row: Row[Any]) -> StoredSet:
    return StoredSet(
        subject=row.subject,
        version=(row.epoch, row.version),
        message=row.message,
        acked=(row.acked_epoch, row.acked_version),
        incarnation=row.acked_incarnation,
    )
