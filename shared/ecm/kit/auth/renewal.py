"""What an issuer gives, got anew: bounded, once for all who wait for it, or beside those who needn't."""

import asyncio
from collections.abc import Awaitable, Callable

from ecm.kit.clock import Clock
from ecm.kit.telemetry import logger


class Renewal:
    """At most one attempt at a time. `attempt` raises where the issuer gives nothing; TimeoutError after `seconds`."""

    def __init__(self, what: str, attempt: Callable[[], Awaitable[None]], seconds: float, clock: Clock) -> None:
        self._what = what
        self._attempt = attempt
        self._seconds = seconds
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._failed_at = float("-inf")

    @property
    def under_way(self) -> bool:
        """Whether an attempt is being made."""
        return self._task is not None and not self._task.done()

    def failed_within(self, seconds: float) -> bool:
        """Whether the last attempt that has ended failed, so lately."""
        return self._clock.boottime() - self._failed_at <= seconds

    def begin(self) -> None:
        """An attempt is under way from now on; nobody waits for it."""
        self._begun()

    async def wait(self) -> None:
        """The end of the attempt that is under way, else of a new one. Who stops waiting doesn't end it."""
        await asyncio.shield(self._begun())

    async def close(self) -> None:
        """Ends an attempt that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _begun(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._bounded(), name=self._what)
            # Told in the log already: nobody need be there to hear it.
            self._task.add_done_callback(lambda task: None if task.cancelled() else task.exception())
        return self._task

    async def _bounded(self) -> None:
        try:
            # A client's own timeouts begin anew with each piece that arrives: a slow link would take its time for ever.
            async with asyncio.timeout(self._seconds):
                await self._attempt()
        except Exception as error:
            self._failed_at = self._clock.boottime()
            logger(part=self._what).warning("issuer.not_heard", exc_info=error)
            raise
        self._failed_at = float("-inf")
