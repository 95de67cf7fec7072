"""Which resource an event's random address stands for; what of it may be seen, `disclose()` decides later."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.exchange.tables import dataref


@dataclass(frozen=True, slots=True)
class Pointed:
    """The resource behind an address, and the one client that the address was given to."""

    client: str
    type: str
    id: UUID


def find_dataref(engine: AsyncEngine) -> Callable[[str], Awaitable[Pointed | None]]:
    """A finder: token → what it points at, None where no event of anybody had it."""

    async def find(token: str) -> Pointed | None:
        t = dataref.c
        async with engine.connect() as connection:
            row = (await connection.execute(select(t.client_id, t.type, t.id).where(t.token == token))).first()
        return Pointed(row.client_id, row.type, row.id) if row is not None else None

    return find
