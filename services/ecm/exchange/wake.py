"""Workers that sleep until PostgreSQL wakes them, and look by themselves now and then; one of a kind per database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ecm.kit.telemetry import logger

CONNECT_SECONDS = 5.0
POLL_SECONDS = 1.0
BACK_OFF_SECONDS = (0.25, 0.5, 1.0, 2.0, 5.0)


class Worker:
    """Calls `work` whenever `channel` is notified, and every second; alone among all copies of the exchange.

    `work` returns whether more waits. Outages of PostgreSQL, and any fault of
    `work`, are ridden out with back-off.
    """

    def __init__(
        self, name: str, url: str, channel: str, work: Callable[[], Awaitable[bool]], *, poll: float = POLL_SECONDS
    ) -> None:
        self._name = name
        self._url = url
        self._channel = channel
        self._work = work
        self._poll = poll
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Works until cancelled."""
        failures = 0
        while True:
            try:
                async with self._alone() as connection:
                    while True:
                        await self._turn(connection)
                        failures = 0
            except Exception as error:
                logger(part=self._name, attempt=failures).warning("worker.failed", exc_info=error)
                await asyncio.sleep(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])
                failures += 1

    async def _turn(self, connection: "asyncpg.Connection[Any]") -> None:
        self._woken.clear()
        if await self._work():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll):
                await self._woken.wait()
        # The lock lives with this connection: without it, another copy may be at work.
        await connection.fetchval("SELECT 1", timeout=CONNECT_SECONDS)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator["asyncpg.Connection[Any]"]:
        connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, ssl=False)
        try:
            await self._take_turn(connection)
            await connection.add_listener(self._channel, self._wake)
            yield connection
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=2)
            connection.terminate()

    async def _take_turn(self, connection: "asyncpg.Connection[Any]") -> None:
        """Asks for the lock instead of waiting: a waiting statement would hold back vacuum."""
        ask = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
        while True:
            if await connection.fetchval(ask, f"ecm-worker:{self._name}", timeout=CONNECT_SECONDS):
                return
            await asyncio.sleep(self._poll)

    def _wake(self, *_: object) -> None:
        self._woken.set()
