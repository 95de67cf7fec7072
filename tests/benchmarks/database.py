"""What the benchmark does to PostgreSQL itself, as its superuser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ecm.admin import credentials
from ecm.local.stack import Stack


async def note_commits(stack: Stack) -> None:
    """From its next start on it remembers when each transaction was committed."""
    async with administering(stack) as sql:
        await sql.execute("ALTER SYSTEM SET track_commit_timestamp = on")


async def checkpoint(stack: Stack) -> None:
    """Writes out what was written: the next server doesn't pay for the last one."""
    async with administering(stack) as sql:
        await sql.execute("CHECKPOINT")


async def about(stack: Stack) -> dict[str, Any]:
    """Version, and that a commit is durable before it is answered."""
    names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
    async with administering(stack) as sql:
        settings = {name: await sql.fetchval(f"SHOW {name}") for name in names}
    assert (settings["fsync"], settings["synchronous_commit"]) == ("on", "on")
    return settings


@asynccontextmanager
async def administering(stack: Stack) -> AsyncIterator[Any]:
    """A connection of the superuser."""
    sql = await asyncpg.connect(
        host="127.0.0.1",
        port=stack.plan.ports["postgres"],
        user=credentials.SUPERUSER,
        password=credentials.passwords(stack.paths)["postgres"][credentials.SUPERUSER],
        database="postgres",
        ssl=False,
    )
    try:
        yield sql
    finally:
        await sql.close()
