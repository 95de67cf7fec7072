"""From R to E: sends sets to the exchange until it has committed them, and tells how far a narrowing is.

Where the exchange can't be reached, E comes by time (`ecm.consent.lapse`).
"""

import asyncio
import time
from datetime import UTC
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.consent.v1.consent_service_pb2 import Enforcement as EnforcementMessage
from ecm.api.exchange.v1 import exchange_service_pb2 as exchange
from ecm.consent.journal import Journal
from ecm.consent.lapse import Lapse
from ecm.consent.store import incarnations, narrowings, sets
from ecm.consent.store.connections import transaction
from ecm.consent.store.narrowings import Narrowing
from ecm.consent.wire import enforcement
from ecm.kit.back_off import back_off
from ecm.kit.errors import DomainError
from ecm.kit.telemetry import logger

POLL_SECONDS = 0.25
ATTEMPT_SECONDS = 3.0
BATCH = 100
BACK_OFF_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0)

Request = exchange.ApplyGrantsRequest | exchange.ApplyRegionRequest
Response = exchange.ApplyGrantsResponse | exchange.ApplyRegionResponse


class Exchange(Protocol):
    """The exchange, as sets are sent to it."""

    async def apply(self, request: Request, seconds: float) -> Response:
        """Commits the set there, within `seconds`; raises DomainError."""
        ...


class Enforcement:
    """Pushes sets, in commands and by its own worker. A set that isn't acknowledged is sent again after any crash."""

    def __init__(self, engine: AsyncEngine, exchange: Exchange, journal: Journal, lapse: Lapse) -> None:
        self._engine = engine
        self._exchange = exchange
        self._journal = journal
        self._lapse = lapse
        self._woken = asyncio.Event()
        self._asked_region = False

    def wake(self) -> None:
        """Something was committed: look soon."""
        self._woken.set()

    def probe(self) -> None:
        """Finds out which database the exchange has now: its answer to the region's set names the incarnation."""
        self._asked_region = True
        self._woken.set()

    async def recorded(self, narrowing_id: UUID) -> EnforcementMessage:
        """R, in the journal too; where it stands now. The worker goes on from there."""
        narrowing = await self._journaled(narrowing_id)
        self.wake()
        return enforcement(narrowing)

    async def settle(self, narrowing_id: UUID, seconds: float) -> EnforcementMessage:
        """Enforces it within `seconds`: ENFORCED only after E; else ENFORCING, and the worker goes on."""
        until = time.monotonic() + seconds
        narrowing = await self._journaled(narrowing_id)
        attempt = 0
        while narrowing.enforced_at is None and time.monotonic() < until:
            if not await self.push(narrowing.subject, min(until - time.monotonic(), ATTEMPT_SECONDS)):
                pause = back_off(BACK_OFF_SECONDS, attempt)
                await asyncio.sleep(max(min(pause, until - time.monotonic()), 0))
                attempt += 1
            narrowing = await self._load(narrowing_id)
        if narrowing.enforced_at is None:
            self.wake()
            return enforcement(narrowing)
        return await self.answer(narrowing)

    async def answer(self, narrowing: Narrowing) -> EnforcementMessage:
        """The moments; A is noted where this is the first time that ENFORCED is told."""
        if narrowing.enforced_at is None or narrowing.answered_at is not None:
            return enforcement(narrowing)
        async with transaction(self._engine) as conn:
            await narrowings.answered(conn, narrowing.narrowing_id)
            return enforcement(await narrowings.get(conn, narrowing.narrowing_id))

    async def push(self, subject: UUID, seconds: float) -> bool:
        """Sends the subject's newest set; whether the exchange has committed it, or a newer one."""
        try:
            return await self._send(subject, seconds)
        except DomainError as error:
            logger(worker="enforcement").warning("set.not_sent", reason=error.reason)
            return False

    async def _send(self, subject: UUID, seconds: float) -> bool:
        async with transaction(self._engine) as conn:
            stored = await sets.find(conn, subject)
        if stored is None:
            return True
        return await self._acknowledged(subject, await self._exchange.apply(_request(stored), seconds))

    async def worker(self) -> None:
        """Sends what isn't acknowledged and journals what a crash kept out of the journal; until cancelled."""
        failures = 0
        while True:
            try:
                await self._journal_missing()
                failures = 0 if await self._push_waiting() else failures + 1
            except DomainError as error:
                failures += 1
                logger(worker="enforcement").warning("enforcement.waits", reason=error.reason)
            except Exception:
                failures += 1
                logger(worker="enforcement").error("enforcement.failed", exc_info=True)
            await self._pause(back_off(BACK_OFF_SECONDS, failures) if failures else POLL_SECONDS)

    async def _push_waiting(self) -> bool:
        async with transaction(self._engine) as conn:
            waiting = list(await sets.unacknowledged(conn, BATCH))
        if self._asked_region and sets.REGION not in waiting:
            waiting.insert(0, sets.REGION)
        sent = [await self._try(subject) for subject in waiting]
        return all(sent)

    async def _try(self, subject: UUID) -> bool:
        """Sends one; a set that the exchange refuses mustn't hold back the others. Raises where it is away."""
        try:
            sent = await self._send(subject, ATTEMPT_SECONDS)
        except DomainError as error:
            if error.retryable:
                raise
            logger(worker="enforcement").error("set.refused", reason=error.reason)
            return False
        if subject == sets.REGION:
            self._asked_region = False
        return sent

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _acknowledged(self, subject: UUID, response: Response) -> bool:
        acked = (response.epoch, response.version)
        at = response.enforced_at.ToDatetime(UTC)
        async with transaction(self._engine) as conn:
            if not await sets.acknowledge(conn, subject, acked, response.incarnation):
                # Its set is none of ours: this database was restored to before it. It fails closed.
                logger(worker="enforcement").error("exchange.ahead", epoch=acked[0], version=acked[1])
                return False
            if await incarnations.is_alone(conn):
                await narrowings.enforced(conn, subject, acked, at)
        return True

    async def _journal_missing(self) -> None:
        async with transaction(self._engine) as conn:
            missing = await narrowings.unjournaled(conn, BATCH)
        for narrowing in missing:
            await self._journaled(narrowing.narrowing_id)

    async def _journaled(self, narrowing_id: UUID) -> Narrowing:
        narrowing = await self._load(narrowing_id)
        # R is committed: from now on no lease is renewed before the exchange has it.
        self._lapse.begins(narrowing_id)
        if narrowing.journaled_at is None:
            await self._journal.append(narrowing)
            async with transaction(self._engine) as conn:
                await narrowings.journaled(conn, narrowing_id)
        return narrowing

    async def _load(self, narrowing_id: UUID) -> Narrowing:
        async with transaction(self._engine) as conn:
            return await narrowings.get(conn, narrowing_id)


def _request(stored: sets.StoredSet) -> Request:
    kind = exchange.ApplyRegionRequest if stored.subject == sets.REGION else exchange.ApplyGrantsRequest
    request = kind.FromString(stored.message)
    request.epoch, request.version = stored.version
    return request
