"""Advisory locks of the exchange, all of the transaction: who waits for whom.

Order, so that nobody waits in a ring: child or region or record first, then
agencies in sorted order, then one client's topic. Whoever holds an agency's
lock takes no lock of the first sort.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.kit.db.direct import Direct

_EXCLUSIVE = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_EXCLUSIVE_OF_CHILD = Direct(
    "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0)) FROM projected_child WHERE child_id = :child"
)
_SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
# In this order: a list is evaluated from left to right.
_TOPIC = text("""
    SELECT pg_advisory_xact_lock_shared(hashtextextended(:agency, 0)),
           pg_advisory_xact_lock(hashtextextended(:topic, 0))""")


async def lock_child(conn: AsyncConnection, child_id: object) -> None:
    """One set of grants at a time."""
    await conn.execute(_EXCLUSIVE, {"name": f"ecm-child:{child_id}"})


async def lock_region(conn: AsyncConnection) -> None:
    """One set of lines and clients at a time."""
    await conn.execute(_EXCLUSIVE, {"name": "ecm-region"})


async def lock_record(conn: AsyncConnection, record_id: object) -> None:
    """One version of a record at a time."""
    await conn.execute(_EXCLUSIVE, {"name": f"ecm-record:{record_id}"})


async def lock_record_of(conn: AsyncConnection, record_id: object, child_id: object) -> bool:
    """The same where the exchange holds the child; returns whether it does."""
    named = {"name": f"ecm-record:{record_id}", "child": child_id}
    return await _EXCLUSIVE_OF_CHILD.first(conn, named) is not None


async def lock_agencies(conn: AsyncConnection, agencies: Iterable[str]) -> None:
    """Waits for every disclosure to these agencies that has begun, and holds back the next: the barrier.

    Each lock is a statement of its own, so that what is read afterwards is what the others left.
    """
    for agency in sorted(set(agencies)):
        await conn.execute(_EXCLUSIVE, {"name": f"ecm-agency:{agency}"})


async def share_agency(conn: AsyncConnection, agency: str) -> None:
    """Keeps an agency's grants as they are until the transaction ends."""
    await conn.execute(_SHARED, {"name": f"ecm-agency:{agency}"})


async def lock_topic(conn: AsyncConnection, agency: str, client: str) -> None:
    """The same, then: one decision about a client's topic at a time, among those who share its agency's lock."""
    await conn.execute(_TOPIC, {"agency": f"ecm-agency:{agency}", "topic": f"ecm-topic:{client}"})
