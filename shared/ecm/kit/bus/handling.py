"""What becomes of one message: its effect once, a later try, or the dead letters."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from ecm.kit.auth.principal import service_principal
from ecm.kit.back_off import back_off
from ecm.kit.bus.dead_letters import DeadLetters
from ecm.kit.bus.events import Event, MalformedEventError, decode
from ecm.kit.bus.inbox import once
from ecm.kit.bus.producer import SendFailedError
from ecm.kit.db.failures import is_transient
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError
from ecm.kit.metrics import EVENT_SECONDS, EVENTS
from ecm.kit.telemetry import logger
from ecm.kit.trace import with_trace

Handler = Callable[[Event, Tx], Awaitable[None]]
Begin = Callable[[Event], AbstractContextManager[Handler]]
"""Begins what needn't wait for the event's transaction, and gives what handles it there."""
Concerns = Callable[[Event], bool]
FailureHook = Callable[[Event, Tx, Exception], Awaitable[None]]

TRIES = 3
HANDLE_SECONDS = 20.0
BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the message is done with; else after how many seconds it is tried again."""

    done: bool
    retry_after: float = 0.0


DONE = Verdict(done=True)


def passes_by_itself(error: Exception) -> bool:
    """Whether trying again may help with nothing changed here: a peer, Kafka or the database was away."""
    if isinstance(error, DomainError):
        return error.retryable
    return isinstance(error, SendFailedError) or is_transient(error)


def in_transaction(handler: Handler) -> Begin:
    """With nothing to begin before."""
    return lambda _: nullcontext(handler)


def every_event(_: Event) -> bool:
    """Concerned by all of a topic."""
    return True


class Handling:
    """Handles messages for one consumer group, and remembers how often each has failed."""

    def __init__(
        self,
        service: str,
        group: str,
        begin: Begin,
        uow: UnitOfWork,
        dead_letters: DeadLetters,
        *,
        concerns: Concerns,
        on_failure: FailureHook | None,
    ) -> None:
        self._principal = service_principal(service)
        self._group = group
        self._begin = begin
        self._concerns = concerns
        self._uow = uow
        self._dead_letters = dead_letters
        self._on_failure = on_failure
        self._attempts: dict[tuple[str, int, int], int] = {}

    async def handle(self, message: Any) -> Verdict:
        """Does the message's effect; says whether to go on. Never raises but for cancellation."""
        where = (message.topic, message.partition, message.offset)
        try:
            event = decode(message)
        except MalformedEventError as error:
            return await self._bury(message, error, where)
        if self._passed_over(event):
            EVENTS.labels(self._group, "passed_over").inc()
            return DONE
        with with_trace(event.traceparent), EVENT_SECONDS.labels(self._group).time():
            try:
                fresh = await self._effect(event)
            except MalformedEventError as error:
                return await self._bury(message, error, where)
            except Exception as error:
                return await self._failed(message, event, error, where)
        self._attempts.pop(where, None)
        EVENTS.labels(self._group, "done" if fresh else "repeated").inc()
        return DONE

    def _passed_over(self, event: Event) -> bool:
        try:
            return not self._concerns(event)
        except Exception:
            # One that can't be read is the handler's affair: tried, then buried.
            return False

    async def _effect(self, event: Event) -> bool:
        async with asyncio.timeout(HANDLE_SECONDS):
            with self._begin(event) as handler:
                async with self._uow.begin(self._principal) as tx:
                    fresh = await once(tx, self._group, event.id)
                    if fresh:
                        await handler(event, tx)
                    return fresh

    async def _failed(self, message: Any, event: Event, error: Exception, where: tuple[str, int, int]) -> Verdict:
        attempt = self._attempts[where] = self._attempts.get(where, 0) + 1
        passing = passes_by_itself(error)
        log = logger(consumer=self._group, topic=event.topic, partition=event.partition, offset=event.offset)
        log.warning("event.failed", attempt=attempt, event_id=event.id, kind=event.type, exc_info=error)
        noted = await self._note(event, error)
        if noted and not passing and attempt >= TRIES:
            return await self._bury(message, error, where)
        return self._later(attempt)

    async def _note(self, event: Event, error: Exception) -> bool:
        """Runs the failure hook; whether it is done. An event is given up only after it was."""
        if self._on_failure is None:
            return True
        try:
            async with asyncio.timeout(HANDLE_SECONDS), self._uow.begin(self._principal) as tx:
                await self._on_failure(event, tx, error)
        except MalformedEventError:
            # It names nothing that something could be noted of.
            return True
        except Exception:
            logger(consumer=self._group, event_id=event.id).warning("event.failure_not_noted", exc_info=True)
            return False
        return True

    async def _bury(self, message: Any, error: Exception, where: tuple[str, int, int]) -> Verdict:
        attempts = max(self._attempts.get(where, 0), 1)
        try:
            await self._dead_letters.bury(message, error, attempts, self._uow.clock.now())
        except SendFailedError:
            logger(consumer=self._group).warning("event.not_buried", exc_info=True)
            return self._later(attempts)
        self._attempts.pop(where, None)
        EVENTS.labels(self._group, "dead").inc()
        logger(consumer=self._group, topic=message.topic, offset=message.offset).error("event.dead", exc_info=error)
        return DONE

    def _later(self, attempt: int) -> Verdict:
        EVENTS.labels(self._group, "retried").inc()
        return Verdict(done=False, retry_after=back_off(BACK_OFF_SECONDS, attempt - 1))
