"""Reads a database from any thread, past proxies; rides out its restarts."""

import asyncio
import threading
import time
from typing import Any

import asyncpg

PATIENCE_SECONDS = 60.0
AWAY = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.exceptions.OperatorInterventionError)


class Database:
    """One connection, made anew when it is lost."""

    _loop: asyncio.AbstractEventLoop | None = None
    _starting = threading.Lock()

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None
        self._turn = threading.Lock()

    def fetch(self, query: str, *values: Any) -> list[Any]:
        """The rows."""
        return self._within(lambda connection: connection.fetch(query, *values))

    def snapshot(self, *queries: str) -> list[list[Any]]:
        """The rows of each, all of one state of the database."""

        async def all_of(connection: Any) -> list[list[Any]]:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return [await connection.fetch(query) for query in queries]

        found: list[list[Any]] = self._within(all_of)
        return found

    def execute(self, query: str) -> None:
        """Statements without values."""
        self._within(lambda connection: connection.execute(query))

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._run(self._connection.close(timeout=2))
            self._connection = None

    def _within(self, work: Any) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        with self._turn:
            while True:
                try:
                    return self._run(self._once(work))
                except (OSError, TimeoutError, *AWAY) as error:
                    self._connection = None
                    if time.monotonic() > until:
                        raise TimeoutError("The database stays away.") from error
                    time.sleep(0.2)

    async def _once(self, work: Any) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._url, ssl=False, timeout=5, server_settings={"timezone": "UTC"}
            )
        async with asyncio.timeout(30):
            return await work(self._connection)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._shared_loop()).result()

    @classmethod
    def _shared_loop(cls) -> asyncio.AbstractEventLoop:
        with cls._starting:
            if cls._loop is None:
                cls._loop = asyncio.new_event_loop()
                threading.Thread(target=cls._loop.run_forever, daemon=True).start()
            return cls._loop
