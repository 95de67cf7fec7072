"""Connections for work outside of a command's transaction; what passes by itself is said in the domain's words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.kit.db.failures import is_transient
from ecm.kit.errors import DomainError, Reason


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Commits at the end; PEER_UNREACHABLE where the database is away or busy."""
    try:
        async with engine.begin() as conn:
            yield conn
    except Exception as error:
        if isinstance(error, DomainError) or not is_transient(error):
            raise
        raise DomainError(Reason.PEER_UNREACHABLE, "The database is away or busy; try again.") from error
