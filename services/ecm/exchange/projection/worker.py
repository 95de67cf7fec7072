"""Looks after the children in `fetch_queue`: the first fetch, then what the topics are to be told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.exchange.projection.attention import look_at_all, look_at_times
from ecm.exchange.projection.project import Projection
from ecm.exchange.streams.reconcile import Reconciliation
from ecm.kit.clock import Clock
from ecm.kit.telemetry import logger

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]
    Row = asyncpg.Record

# As many share a transaction: for so long a withdrawal may have to wait.
BATCH = 20
REST_SECONDS = 2.0
# After so long no other child is fetched: the turn's connection says nothing meanwhile, and a hung owner takes 5 s.
FETCHING_SECONDS = 10.0
SWEEP_SECONDS = 5.0

_QUEUED = f"""
    SELECT q.child_id, q.requested_at, q.records
      FROM fetch_queue q LEFT JOIN projected_child p USING (child_id)
     WHERE (p.fetched_at IS NOT NULL) = $1 AND q.child_id <> ALL($2::uuid[])
     ORDER BY q.requested_at LIMIT {BATCH}"""  # noqa: S608 - a number of our own
# Asked for again meanwhile: it stays. In the order of the ids, as everybody locks them.
_DONE = """
    DELETE FROM fetch_queue WHERE child_id IN (
        SELECT q.child_id
          FROM fetch_queue q JOIN unnest($1::uuid[], $2::timestamptz[]) AS d (child_id, seen) USING (child_id)
         WHERE q.requested_at <= d.seen ORDER BY q.child_id FOR UPDATE OF q)"""
_NOW = text("SELECT clock_timestamp()")


class ChildWorker:
    """One turn after the other; a child that fails rests, the others go on."""

    def __init__(
        self, engine: AsyncEngine, projection: Projection, reconciliation: Reconciliation, clock: Clock
    ) -> None:
        self._engine = engine
        self._projection = projection
        self._reconciliation = reconciliation
        self._clock = clock
        self._resting: dict[UUID, float] = {}
        self._swept_to: Any = None
        self._sweep_at = 0.0

    async def work(self, connection: "Connection") -> bool:
        """Looks at a batch of children whose records are here, then at some that must be fetched; whether more wait."""
        await self._sweep()
        more = [await self._look(connection, fetched) for fetched in (True, False)]
        return any(more)

    async def _look(self, connection: "Connection", fetched: bool) -> bool:
        rows = await connection.fetch(_QUEUED, fetched, self._at_rest())
        done = await self._told(rows if fetched else await self._fetched(rows))
        if done:
            await connection.execute(_DONE, _children(done), [row["requested_at"] for row in done])
        return len(rows) == BATCH and bool(done)

    def _at_rest(self) -> list[UUID]:
        now = self._clock.boottime()
        return [child_id for child_id, until in self._resting.items() if until > now]

    async def _fetched(self, rows: Sequence["Row"]) -> Sequence["Row"]:
        """Those whose records could be fetched now; who failed comes last."""
        until = self._clock.boottime() + FETCHING_SECONDS
        ordered = sorted(rows, key=lambda row: self._resting.get(row["child_id"], 0.0))
        return [row for row in ordered if self._clock.boottime() < until and await self._fetch(row)]

    async def _fetch(self, row: "Row") -> bool:
        try:
            await self._projection.fetch_child(row["child_id"])
        except Exception as error:
            self._rest([row], error)
            return False
        return True

    async def _told(self, rows: Sequence["Row"]) -> Sequence["Row"]:
        """Those of whom all is told: together, and where that fails each alone, so that none holds the others back."""
        done = rows if await self._tell(rows) else [row for row in rows if await self._tell([row])]
        for child_id in _children(done):
            self._resting.pop(child_id, None)
        return done

    async def _tell(self, rows: Sequence["Row"]) -> bool:
        try:
            if rows:
                await self._reconciliation.children({row["child_id"]: row["records"] for row in rows})
        except Exception as error:
            self._rest(rows, error)
            return False
        return True

    def _rest(self, rows: Sequence["Row"], error: Exception) -> None:
        for child_id in _children(rows):
            logger(child_id=str(child_id)).warning("child.not_looked_at", exc_info=error)
            self._resting[child_id] = self._clock.boottime() + REST_SECONDS

    async def _sweep(self) -> None:
        """What begins or ends by the clock alone has no other cause that would tell the topics."""
        if self._clock.boottime() < self._sweep_at:
            return
        self._sweep_at = self._clock.boottime() + SWEEP_SECONDS
        async with self._engine.begin() as conn:
            now = (await conn.execute(_NOW)).scalar_one()
            if self._swept_to is None:
                # What passed while nobody swept isn't known.
                await look_at_all(conn)
            else:
                await look_at_times(conn, self._swept_to, now)
            self._swept_to = now


def _children(rows: Sequence["Row"]) -> list[UUID]:
    return [row["child_id"] for row in rows]
