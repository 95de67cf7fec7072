"""What ends by itself: consents, overrides; what falls due: the review at 18; and sets to compile anew."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_

from ecm.api.consent.v1 import consent_records_pb2 as content
from ecm.consent.compiling import recompile
from ecm.consent.model import consent as model
from ecm.consent.store import agreements, facts, records, sets
from ecm.consent.store.records import ADULT_REVIEW, CONSENT, EXPIRY, OVERRIDE, OVERRIDE_END
from ecm.consent.tables import deadline
from ecm.kit.auth.principal import service_principal
from ecm.kit.db.uow import UNLIMITED, Tx, UnitOfWork
from ecm.kit.telemetry import logger

EVERY_SECONDS = 0.5
BATCH = 100
T = TypeVar("T")


class Sweeper:
    """Closes what has ended, by the database's clock, read after the child's lock; what it closed stays closed."""

    def __init__(self, uow: UnitOfWork, wake: Callable[[], None]) -> None:
        self._uow = uow
        self._wake = wake
        self._principal = service_principal("consent")

    async def worker(self) -> None:
        """Sweeps until cancelled."""
        while True:
            try:
                if await self.sweep() + await self.compile_queued():
                    self._wake()
            except Exception:
                logger(worker="sweeper").warning("sweep.failed", exc_info=True)
            await asyncio.sleep(EVERY_SECONDS)

    async def sweep(self) -> int:
        """How many deadlines have passed and were dealt with; one that fails waits for the next sweep, alone."""
        dealt, last = 0, None
        while rows := await self._due_after(last):
            dealt += sum([await self._alone(self._one, row, row.record_id) for row in rows])
            last = rows[-1]
        return dealt

    async def _due_after(self, last: Row[Any] | None) -> Sequence[Row[Any]]:
        order = (deadline.c.at, deadline.c.record_id, deadline.c.kind)
        due = select(deadline).where(deadline.c.at <= func.clock_timestamp()).order_by(*order).limit(BATCH)
        if last is not None:
            due = due.where(tuple_(*order) > tuple_(last.at, last.record_id, last.kind))
        async with self._uow.engine.connect() as conn:
            return (await conn.execute(due)).all()

    async def compile_queued(self) -> int:
        """How many children were compiled anew since an agreement changed."""
        async with self._uow.engine.connect() as conn:
            waiting = await sets.queued(conn, BATCH)
        return sum([await self._alone(_recompile_queued, child_id, child_id) for child_id in waiting])

    async def _alone(self, deal: Callable[[Tx, T], Awaitable[None]], what: T, record_id: UUID) -> bool:
        """Deals with it in a transaction of its own; where that fails it is logged, and False: others go on."""
        try:
            async with self._uow.begin(self._principal, scope=UNLIMITED) as tx:
                await deal(tx, what)
        except Exception:
            logger(worker="sweeper").warning("sweep.one_failed", record_id=record_id, exc_info=True)
            return False
        return True

    async def _one(self, tx: Tx, row: Row[Any]) -> None:
        await facts.lock_child(tx, row.child_id)
        now = await facts.database_now(tx)
        mine = (deadline.c.record_id == row.record_id) & (deadline.c.kind == row.kind)
        at = (await tx.conn.execute(select(deadline.c.at).where(mine))).scalar_one_or_none()
        if at is None or at > now:
            return
        await records.set_deadline(tx, row.record_id, row.kind, row.child_id, None)
        await _ENDINGS[row.kind](tx, row)
        await recompile(tx, row.child_id)
        logger(worker="sweeper").info("deadline.passed", kind=row.kind, record_id=row.record_id)


async def _recompile_queued(tx: Tx, child_id: UUID) -> None:
    await facts.lock_child(tx, child_id)
    # Before the queue is touched: an approval holds the region while it fills the queue.
    await agreements.hold_region(tx)
    await sets.dequeue(tx.conn, child_id)
    await recompile(tx, child_id)


async def _expire(tx: Tx, row: Row[Any]) -> None:
    found = await tx.records.get(row.record_id, content.Consent, kind=CONSENT)
    if found.content.state == content.CONSENT_STATE_GIVEN:
        await records.save_consent(tx, found, model.moved(found.content, model.EXPIRED), reason="Its last day is over.")


async def _end_override(tx: Tx, row: Row[Any]) -> None:
    found = await tx.records.get(row.record_id, content.Override, kind=OVERRIDE)
    await tx.records.close(found, reason="Its time is over.")


async def _due(tx: Tx, row: Row[Any]) -> None:
    """At 18 a review is due: a mark, nothing closes by it (checklist 124)."""
    logger(worker="sweeper").info("consent.review_due", record_id=row.record_id)


_ENDINGS = {EXPIRY: _expire, OVERRIDE_END: _end_override, ADULT_REVIEW: _due}
