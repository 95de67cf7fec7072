"""E by time: where the exchange can't be reached, a narrowing is enforced once every lease given before R is over.

While it is unacknowledged no lease is renewed, and one counts from before it was
asked for: so L after R nobody holds any. To that come the clocks' drift, a
transaction that began at the lease's last moment, and the deadline of a renewal.

The time is CLOCK_BOOTTIME of this process, begun when it first sees the committed
narrowing. A restart waits anew: what was waited before isn't known, so not counted.
"""

import asyncio
from collections.abc import Collection, Hashable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.consent.store import incarnations, narrowings
from ecm.consent.store.connections import transaction
from ecm.kit.clock import Clock
from ecm.kit.lease import certainly_over
from ecm.kit.telemetry import logger

POLL_SECONDS = 0.25


class Lapse:
    """Waits for leases to end: those given before a narrowing, and those that an earlier database holds."""

    def __init__(self, engine: AsyncEngine, clock: Clock, lease_seconds: float) -> None:
        self._engine = engine
        self._clock = clock
        self._seconds = certainly_over(lease_seconds)
        self._since: dict[Hashable, float] = {}

    def begins(self, narrowing_id: UUID) -> None:
        """Counts from now, unless it does already. R is committed."""
        self._since.setdefault(narrowing_id, self._clock.boottime())

    async def worker(self) -> None:
        """Looks until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                logger(worker="lapse").warning("lapse.failed", exc_info=True)
            await asyncio.sleep(POLL_SECONDS)

    async def look(self) -> None:
        """Notes E of what has waited long enough, and of what was acknowledged while another database was in doubt."""
        async with transaction(self._engine) as conn:
            ordinal = await incarnations.crowded(conn)
            waiting = await narrowings.still_open(conn)
        over = self._over([*waiting, *([ordinal] if ordinal is not None else [])])
        async with transaction(self._engine) as conn:
            if ordinal is not None and ordinal in over:
                await incarnations.outlasted(conn, ordinal)
            await narrowings.enforced_meanwhile(conn)
            ended = [one for one in waiting if one in over]
            if ended:
                await narrowings.enforced_by_time(conn, ended)
        if ended:
            logger(worker="lapse").warning("narrowing.enforced_by_time", count=len(ended))

    def _over(self, waiting: Collection[Hashable]) -> set[Hashable]:
        """Those that have waited long enough; what doesn't wait any more is forgotten."""
        now = self._clock.boottime()
        self._since = {one: self._since.get(one, now) for one in waiting}
        return {one for one, since in self._since.items() if now - since >= self._seconds}
