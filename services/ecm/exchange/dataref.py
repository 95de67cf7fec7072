"""Which resource an event's random address stands for; what of it may be seen, `disclose()` decides later."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.exchange.tables import dataref


def find_dataref(engine: AsyncEngine) -> Callable[[str, str], Awaitable[tuple[str, UUID] | None]]:
    """A finder: (client, token) → (type, id), None where the client has no such address."""

    async def find(client: str, token: str) -> tuple[str, UUID] | None:
        mine = (dataref.c.token == token) & (dataref.c.client_id == client)
        async with engine.connect() as connection:
            row = (await connection.execute(select(dataref.c.type, dataref.c.id).where(mine))).first()
        return (row.type, row.id) if row is not None else None

    return find
