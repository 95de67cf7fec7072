"""A writer: one database connection with one call at a time, which numbers its audit rows without gaps."""

import asyncio
from collections.abc import Sequence
from itertools import starmap
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from ecm.exchange.disclosure.asks import Answer, Released
from ecm.kit.ids import Ids
from ecm.kit.lease import TRANSACTION_SECONDS

Connection = Any
"""asyncpg.Connection; its stubs want a type argument that the runtime class hasn't."""

OPEN_SECONDS = 5.0
LOOK_SECONDS = 2.0
CALL_SECONDS = TRANSACTION_SECONDS
"""Past this the connection is given up; the server's own bounds are shorter."""

BOUNDS = {
    "application_name": "ecm-exchange-release",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
    "jit": "off",
    "enable_bitmapscan": "off",
    # The function's statements are planned once per connection; what it EXECUTEs is planned for its values anyway.
    "plan_cache_mode": "force_generic_plan",
}

_DISCLOSE = "SELECT ask, outcome, total, more, last_updated, names, bodies FROM disclose($1, $2, $3, $4)"
_BEGIN = "INSERT INTO audit_writer (writer) VALUES ($1)"
# Held as long as the connection lives: the sealer sees by it which writers are gone.
_ALIVE = "SELECT pg_advisory_lock(hashtextextended('ecm-writer:' || $1::uuid, 0))"


class Writer:
    """Begins with a connection and ends with it; a restarted exchange goes on with new ones."""

    def __init__(self, connection: Connection, writer: UUID) -> None:
        self._connection = connection
        self.writer = writer
        self._next = 1

    @classmethod
    async def open(cls, url: str, ids: Ids) -> "Writer":
        """Connects. No pool: its reset query costs a round trip, and a writer is never shared."""
        connection = await asyncpg.connect(url, server_settings=BOUNDS, ssl=False, timeout=OPEN_SECONDS)
        made = cls(connection, ids.uuid())
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await connection.execute(_ALIVE, made.writer)
                await connection.execute(_BEGIN, made.writer)
        except BaseException:
            made.end()
            raise
        return made

    @property
    def lost(self) -> bool:
        """Whether the connection is gone, and the writer with it."""
        return bool(self._connection.is_closed())

    async def disclose(self, agency: str, asks: Sequence[dict[str, Any]]) -> list[Answer]:
        """The answers, committed, in the order of the asks (`Ask.document`). One call at a time."""
        documents = orjson.dumps(asks).decode()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                rows = await self._connection.fetch(_DISCLOSE, agency, self.writer, self._next, documents)
        except asyncpg.PostgresError:
            raise
        except BaseException:
            # Whether it was committed isn't known: nothing leaves, and the number is never used again.
            self.end()
            raise
        if sorted(row[0] for row in rows) != list(range(len(asks))):
            self.end()
            raise RuntimeError("disclose() left an ask unanswered, so unnoted.")
        self._next += len(asks)
        return _answers(rows)

    async def look(self) -> None:
        """Asks whether anybody is there; ends it where nobody answers in time."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._connection.fetchval("SELECT 1")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.end()

    def end(self) -> None:
        """Drops the connection at once."""
        self._connection.terminate()


def _answers(rows: Sequence[Any]) -> list[Answer]:
    answers = [Answer()] * len(rows)
    for index, outcome, total, more, last_updated, names, bodies in rows:
        resources = list(starmap(Released, zip(names, bodies, strict=True)))
        answers[index] = Answer(outcome, total, more, last_updated, resources)
    return answers
