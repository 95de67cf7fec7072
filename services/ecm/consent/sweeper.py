"""What ends by itself: consents, overrides; what falls due: the review at 18; and sets to compile anew."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
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
from ecm.kit.back_off import back_off
from ecm.kit.clock import Clock
from ecm.kit.db.scope import UNLIMITED
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.telemetry import logger

EVERY_SECONDS = 0.5
BATCH = 100
BACK_OFF_SECONDS = (1.0, 5.0, 30.0, 300.0)
T = TypeVar("T")


class Resting:
    """What has failed rests before it is tried again, longer each time: what never succeeds mustn't fill the log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[Hashable, tuple[int, float]] = {}

    def rests(self, what: Hashable) -> bool:
        """Whether it isn't its turn yet."""
        return what in self._until and self._until[what][1] > self._clock.boottime()

    def failed(self, what: Hashable) -> float:
        """It failed (again); after how many seconds it is tried next."""
        failures = self._until.get(what, (0, 0.0))[0]
        rest = back_off(BACK_OFF_SECONDS, failures)
        self._until[what] = failures + 1, self._clock.boottime() + rest
        return rest

    def succeeded(self, what: Hashable) -> None:
        """It is done with."""
        self._until.pop(what, None)


class Sweeper:
    """Closes what has ended, by the database's clock, read after the child's lock; what it closed stays closed."""

    def __init__(self, uow: UnitOfWork, wake: Callable[[], None]) -> None:
        self._uow = uow
        self._wake = wake
        self._principal = service_principal("consent")
        self._resting = Resting(uow.clock)

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
        """How many deadlines have passed and were dealt with; one that fails rests, and holds back no other."""
        dealt, last = 0, None
        while rows := await self._due_after(last):
            dealt += sum([await self._alone(self._one, row, (row.record_id, row.kind)) for row in rows])
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
        compiled, last = 0, None
        while waiting := await self._queued_after(last):
            compiled += sum([await self._alone(_recompile_queued, child_id, child_id) for child_id in waiting])
            last = waiting[-1]
        return compiled

    async def _queued_after(self, last: UUID | None) -> Sequence[UUID]:
        async with self._uow.engine.connect() as conn:
            return await sets.queued(conn, BATCH, after=last)

    async def _alone(self, deal: Callable[[Tx, T], Awaitable[None]], what: T, name: Hashable) -> bool:
        """Deals with it in a transaction of its own; where that fails it rests, and False: others go on."""
        if self._resting.rests(name):
            return False
        try:
            async with self._uow.begin(self._principal, scope=UNLIMITED) as tx:
                await deal(tx, what)
        except Exception:
            rest = self._resting.failed(name)
            logger(worker="sweeper").warning("sweep.one_failed", what=str(name), again_in=rest, exc_info=True)
            return False
        self._resting.succeeded(name)
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
