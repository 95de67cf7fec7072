"""Work that one process alone does for a database: its turn lasts as long as a connection of its own.

What it does alone it does on that connection: then nobody does it whose turn is over.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic import SecretStr

from ecm.kit.db.engine import CONNECT_SECONDS, plain

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]

POLL_SECONDS = 1.0
# Whose connection is gone without a word keeps the turn from everybody until the server takes it for idle.
IDLE_SECONDS = 30
_ASK = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"


@asynccontextmanager
async def turn(
    url: str | SecretStr, name: str, channel: str, notified: Callable[..., None]
) -> AsyncIterator["Connection"]:
    """Waits for the turn called `name`, and holds it within the block; `notified` is called at a NOTIFY on `channel`.

    Ask something at least every `IDLE_SECONDS`. Every wait is bounded but that for the turn. What is written on the
    connection may be lost where PostgreSQL crashes within a second: notes of what is done, which is then done again.
    """
    bounds = {
        "idle_session_timeout": f"{IDLE_SECONDS}s",
        "synchronous_commit": "off",
        "plan_cache_mode": "force_generic_plan",
    }
    connection = await asyncpg.connect(
        plain(url), timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS, server_settings=bounds, ssl=False
    )
    try:
        await _take(connection, name)
        await connection.add_listener(channel, notified)
        yield connection
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=2)
        connection.terminate()


async def _take(connection: "Connection", name: str) -> None:
    """Asks instead of waiting: a waiting statement would hold a snapshot, and vacuum with it."""
    while True:
        if await connection.fetchval(_ASK, name):
            return
        await asyncio.sleep(POLL_SECONDS)
