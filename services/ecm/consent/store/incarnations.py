"""Which database of the exchange answers now. Each restore, and each failover that lost something, makes another.

Leases are given to the present one alone. Those that an earlier one holds still end by time.
"""

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.consent.tables import standing

_c = standing.c


async def answers(conn: AsyncConnection, incarnation: str) -> None:
    """It answered last. Where another did before, that one's leases may still be held."""
    following = _c.ordinal + 1
    alone = case((_c.incarnation == "", following), else_=_c.alone)
    row = update(standing).where(_c.incarnation != incarnation)
    await conn.execute(row.values(incarnation=incarnation, ordinal=following, alone=alone))


async def is_present(conn: AsyncConnection, incarnation: str) -> bool:
    """Whether it answered last."""
    return bool((await conn.execute(select(_c.incarnation == incarnation))).scalar_one())


async def is_alone(conn: AsyncConnection) -> bool:
    """Whether certainly no other holds a lease."""
    return await crowded(conn) is None


async def crowded(conn: AsyncConnection) -> int | None:
    """The how manieth the present one is, while another may hold a lease; else None."""
    return (await conn.execute(select(_c.ordinal).where(_c.alone != _c.ordinal))).scalar_one_or_none()


async def outlasted(conn: AsyncConnection, ordinal: int) -> None:
    """The leases of all before it are over."""
    await conn.execute(update(standing).where(_c.ordinal == ordinal).values(alone=ordinal))
