"""Which resource an event's random address stands for; what of it may be seen, `disclose()` decides later."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# A row whether or not there is such a token: what isn't there takes as long.
_FIND = text("""SELECT d.client_id, d.type, d.id FROM (SELECT CAST(:token AS text) AS token) asked
  LEFT JOIN dataref d USING (token)""")


@dataclass(frozen=True, slots=True)
class Pointed:
    """The resource behind an address, and the one client that the address was given to."""

    client: str
    type: str
    id: UUID


def find_dataref(engine: AsyncEngine) -> Callable[[str], Awaitable[Pointed | None]]:
    """A finder: token → what it points at, None where no event of anybody had it."""

    async def find(token: str) -> Pointed | None:
        async with engine.connect() as connection:
            row = (await connection.execute(_FIND, {"token": token})).one()
        return Pointed(row.client_id, row.type, row.id) if row.id is not None else None

    return find
