"""Children that somebody must look at: first fetch, then what each client's topic is to be told.

Written in the transaction of the cause, so that no crash loses it; in the order
of their ids, so that nobody waits in a ring.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.kit.db.direct import Direct

CHANNEL = "ecm_fetch"
# More is as much as all of the child, and needn't be kept.
MOST_RECORDS = 100

_WAKE = f"SELECT pg_notify('{CHANNEL}', '')"
# Reckoned once the row is locked, unlike what was to be inserted: never before a request that the worker has seen.
_AGAIN = """
        ON CONFLICT (child_id) DO UPDATE SET
            requested_at = greatest(q.requested_at + interval '1 microsecond', clock_timestamp()), records ="""
_ADD = Direct(f"""
    WITH queued AS (
        INSERT INTO fetch_queue AS q (child_id, requested_at, records)
        SELECT p.child_id, clock_timestamp(), CAST(:records AS uuid[]) FROM projected_child p
         WHERE p.child_id = :child {_AGAIN}
            CASE WHEN cardinality(q.records) + cardinality(excluded.records) <= {MOST_RECORDS}
                 THEN q.records || excluded.records END
    ) {_WAKE}""")  # noqa: S608 - a constant of our own
_ADD_OF_AGENCIES = text(f"""
    WITH queued AS (
        INSERT INTO fetch_queue AS q (child_id, requested_at)
        SELECT p.child_id, clock_timestamp() FROM projected_child p
         WHERE EXISTS (SELECT 1 FROM grants g WHERE g.child_id = p.child_id AND g.recipient = ANY(:agencies))
         ORDER BY p.child_id {_AGAIN} NULL
    ) {_WAKE}""")  # noqa: S608
# A grant or its line began or ended meanwhile: nothing else would tell.
_ADD_OF_TIMES = text(f"""
    INSERT INTO fetch_queue AS q (child_id, requested_at)
    SELECT p.child_id, clock_timestamp() FROM projected_child p
     WHERE p.child_id IN (
        SELECT g.child_id FROM grants g LEFT JOIN line l ON l.line_id = g.line_id
         WHERE g.valid_from BETWEEN :since AND :until OR g.valid_until BETWEEN :since AND :until
            OR l.valid_from BETWEEN :since AND :until OR l.valid_until BETWEEN :since AND :until)
     ORDER BY p.child_id {_AGAIN} NULL""")  # noqa: S608
_ADD_ALL = text(f"""
    INSERT INTO fetch_queue AS q (child_id, requested_at)
    SELECT p.child_id, clock_timestamp() FROM projected_child p ORDER BY p.child_id {_AGAIN} NULL""")  # noqa: S608


async def look_at(conn: AsyncConnection, child_id: UUID, records: Iterable[UUID] | None = None) -> None:
    """Queues a child, where it has had a grant; woken at commit.

    `records`: under which ids what changed stands, if all of it still stands there; None: all of the child.
    """
    await _ADD.run(conn, {"child": child_id, "records": None if records is None else list(records)})


async def look_at_agencies(conn: AsyncConnection, agencies: Iterable[str]) -> None:
    """Queues every child on whom one of these agencies has a grant."""
    await conn.execute(_ADD_OF_AGENCIES, {"agencies": list(agencies)})


async def look_at_times(conn: AsyncConnection, since: object, until: object) -> None:
    """Queues every child one of whose grants, or its line, begins or ends between two instants."""
    await conn.execute(_ADD_OF_TIMES, {"since": since, "until": until})


async def look_at_all(conn: AsyncConnection) -> None:
    """Queues every child."""
    await conn.execute(_ADD_ALL)
