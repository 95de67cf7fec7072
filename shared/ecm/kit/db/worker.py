"""Workers that sleep until PostgreSQL wakes them, and look by themselves now and then; one of a kind per database."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic import SecretStr

from ecm.kit.back_off import back_off
from ecm.kit.db.failures import is_transient
from ecm.kit.db.turns import turn
from ecm.kit.telemetry import logger

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]
Work = Callable[["Connection"], Awaitable[bool]]

POLL_SECONDS = 1.0
BACK_OFF_SECONDS = (0.25, 0.5, 1.0, 2.0, 5.0)


async def _nothing() -> None: ...


class Worker:
    """Calls `work` whenever `channel` is notified, and every second; alone among all who take the turn `name`.

    `work` reads what waits, and notes what is done, on the connection that holds the turn; it returns whether more
    waits. Outages of PostgreSQL, and any fault of `work`, are ridden out with back-off, `recover` after each.
    """

    def __init__(
        self,
        name: str,
        url: str | SecretStr,
        channel: str,
        work: Work,
        *,
        recover: Callable[[], Awaitable[None]] = _nothing,
        poll: float = POLL_SECONDS,
    ) -> None:
        self._name = name
        self._url = url
        self._channel = channel
        self._work = work
        self._recover = recover
        self._poll = poll
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Works until cancelled."""
        failures = 0
        while True:
            try:
                async with turn(self._url, self._name, self._channel, self._wake) as connection:
                    while True:
                        await self._turn(connection)
                        failures = 0
            except Exception as error:
                logger(part=self._name, attempt=failures).warning(
                    "worker.failed",
                    error_class=type(error).__name__,
                    exc_info=None if is_transient(error) else error,
                )
            await asyncio.sleep(back_off(BACK_OFF_SECONDS, failures))
            failures += 1
            await self._recover()

    async def _turn(self, connection: "Connection") -> None:
        self._woken.clear()
        if await self._work(connection):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll):
                await self._woken.wait()

    def _wake(self, *_: object) -> None:
        self._woken.set()
