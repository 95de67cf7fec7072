"""Connections for work outside of a command's transaction; what passes by itself is said in the domain's words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.kit.db.failures import told_in_domain_words


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Commits at the end; PEER_UNREACHABLE where the database is away or busy."""
    with told_in_domain_words():
        async with engine.begin() as conn:
            yield conn
