"""Consumes internal topics: every effect once, nothing lost, never stuck in silence."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from ecm.kit.back_off import back_off
from ecm.kit.bus.bounds import CancelledInsideError, bounded, own_cancellations_only
from ecm.kit.bus.dead_letters import DeadLetters
from ecm.kit.bus.handling import Begin, Concerns, FailureHook, Handling, Verdict, every_event
from ecm.kit.bus.partitions import Partitions
from ecm.kit.bus.producer import START_SECONDS, STOP_SECONDS, ProducerFactory, connection, make_producer
from ecm.kit.bus.watchdog import STUCK_SECONDS, Watchdog, leave_process
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.metrics import CONSUMER_LAG, CONSUMERS_REPLACED
from ecm.kit.settings import ServiceSettings
from ecm.kit.telemetry import logger

POLL_SECONDS = 0.5
BATCH = 200
COMMIT_SECONDS = 5.0
# What is done and not committed is repeated by the next consumer, and the inbox knows it.
COMMIT_EVERY_SECONDS = 1.0
CHECK_EVERY_SECONDS = 5.0
REPLACE_BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0)


class Consumer:
    """Reads `topics` in one consumer group, and hands each event to what `begin` gives in a transaction with its inbox
    row.

    Errors that pass by themselves (a peer or the database is away) are retried
    for as long as it takes, holding back their partition alone; others go to
    `<topic>.<service>.dlq` after 3 tries. `on_failure` runs in a transaction of
    its own after each failed try, before the next. Offsets are committed after
    the effects, once a second. Within a partition one event follows the other;
    `partitions_at_once` are handled beside each other, and none waits for
    another's events. An event that doesn't concern it is passed over without a
    transaction. `on_stuck` is called where nothing moves for 30 s, or one event
    stays in hand for a minute.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        topics: Sequence[str],
        group: str,
        begin: Begin,
        uow: UnitOfWork,
        *,
        concerns: Concerns = every_event,
        on_failure: FailureHook | None = None,
        partitions_at_once: int = 1,
        on_stuck: Callable[[], None] = leave_process,
        stuck_seconds: float = STUCK_SECONDS,
        producer_factory: ProducerFactory | None = None,
    ) -> None:
        self._settings = settings
        self._topics = list(topics)
        self._group = group
        self._dead_letters = DeadLetters(
            settings.service, topics, producer_factory or (lambda: make_producer(settings))
        )
        self._handling = Handling(
            settings.service,
            group,
            begin,
            uow,
            self._dead_letters,
            concerns=concerns,
            on_failure=on_failure,
        )
        self._watchdog = Watchdog(group, on_stuck, seconds=stuck_seconds)
        self._clock = uow.clock
        self._at_once = partitions_at_once
        self._held: dict[Any, float] = {}
        self._done: dict[Any, int] = {}
        self._commit_at = 0.0
        self._check_at = 0.0
        self._fetched_at = 0.0
        self._stuck_seconds = stuck_seconds
        self._on_stuck = on_stuck

    async def run(self) -> None:
        """Consumes until cancelled. A Kafka consumer that fails is replaced, with back-off."""
        failures = 0
        self._watchdog.start()
        try:
            while True:
                try:
                    with own_cancellations_only():
                        async with self._kafka() as kafka:
                            failures = 0
                            async with self._partitions(kafka) as partitions:
                                await self._consume(kafka, partitions)
                except (KafkaError, OSError, TimeoutError, CancelledInsideError):
                    CONSUMERS_REPLACED.labels(self._group).inc()
                    logger(consumer=self._group, attempt=failures).warning("consumer.replaced", exc_info=True)
                    self._watchdog.progress()
                    await asyncio.sleep(back_off(REPLACE_BACK_OFF_SECONDS, failures))
                    failures += 1
        finally:
            self._watchdog.stop()
            await self._dead_letters.close()

    @asynccontextmanager
    async def _kafka(self) -> AsyncIterator[Any]:
        kafka = AIOKafkaConsumer(
            *self._topics,
            **connection(self._settings),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # The broker's least: for so long a killed consumer keeps its partitions from the next.
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_500,
            request_timeout_ms=10_000,
            metadata_max_age_ms=30_000,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await kafka.start()
            self._held.clear()
            self._done.clear()
            self._fetched_at = self._clock.boottime()
            yield kafka
        finally:
            await bounded(kafka.stop, STOP_SECONDS, f"consumer {self._group}")

    @asynccontextmanager
    async def _partitions(self, kafka: Any) -> AsyncIterator[Partitions]:
        partitions = Partitions(partial(self._handle, kafka), self._at_once, BATCH)
        try:
            yield partitions
        finally:
            await partitions.close(STOP_SECONDS)

    async def _consume(self, kafka: Any, partitions: Partitions) -> None:
        while True:
            self._release(kafka)
            batches = await self._fetch(kafka, partitions)
            partitions.check()
            if not partitions.stuck(self._stuck_seconds):
                self._watchdog.progress()
            if batches:
                self._fetched_at = self._clock.boottime()
            # What came of a partition that waits, or is another's by now, comes again, here or there.
            for partition in batches.keys() & (kafka.assignment() - kafka.paused()):
                partitions.add(partition, batches[partition])
            await self._commit_sometimes(kafka)
            await self._check_sometimes(kafka, partitions.waiting())

    async def _fetch(self, kafka: Any, partitions: Partitions) -> Any:
        """What there is of partitions that have room: else one that is far behind would keep the others waiting."""
        assigned, full = kafka.assignment(), partitions.full()
        if assigned and assigned <= full:
            await partitions.room(POLL_SECONDS)
            return {}
        some = assigned - full if full else ()
        return await kafka.getmany(*some, timeout_ms=int(POLL_SECONDS * 1000), max_records=BATCH)

    async def _handle(self, kafka: Any, partition: Any, message: Any) -> bool:
        """Whether to go on with the partition: else it waits, from this message on."""
        verdict = await self._handling.handle(message)
        if verdict.done:
            self._done[partition] = message.offset + 1
        else:
            self._hold(kafka, partition, message.offset, verdict)
        return verdict.done

    def _hold(self, kafka: Any, partition: Any, offset: int, verdict: Verdict) -> None:
        """The partition waits, its consumer polls on: a rebalance or a stop needn't wait for a peer that is away."""
        self._held[partition] = self._clock.boottime() + verdict.retry_after
        # Where the partition was given to another consumer meanwhile, that one begins at what was committed.
        with contextlib.suppress(IllegalStateError):
            kafka.seek(partition, offset)
            kafka.pause(partition)

    def _release(self, kafka: Any) -> None:
        now = self._clock.boottime()
        for partition in [partition for partition, until in self._held.items() if until <= now]:
            del self._held[partition]
            with contextlib.suppress(IllegalStateError):
                kafka.resume(partition)

    async def _commit_sometimes(self, kafka: Any) -> None:
        now = self._clock.boottime()
        done = {partition: self._done[partition] for partition in self._done.keys() & kafka.assignment()}
        if not done or now < self._commit_at:
            return
        self._commit_at = now + COMMIT_EVERY_SECONDS
        self._done.clear()
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await kafka.commit(done)
        except (CommitFailedError, IllegalStateError):
            # Rebalanced: what was done is repeated elsewhere, and the inbox knows it.
            logger(consumer=self._group).info("consumer.commit_lost")

    async def _check_sometimes(self, kafka: Any, waiting: int) -> None:
        now = self._clock.boottime()
        if now < self._check_at:
            return
        self._check_at = now + CHECK_EVERY_SECONDS
        lag = await self._lag(kafka)
        CONSUMER_LAG.labels(self._group).set(lag + waiting)
        if lag and not waiting and not self._held and now - self._fetched_at > self._stuck_seconds:
            logger(consumer=self._group, lag=lag).error("consumer.stuck")
            self._on_stuck()

    async def _lag(self, kafka: Any) -> int:
        """Events behind. Asks the broker: where that is away, clients left alone would spin."""
        assigned = list(kafka.assignment())
        async with asyncio.timeout(CHECK_EVERY_SECONDS):
            if not assigned:
                await kafka.topics()
                return 0
            ends = await kafka.end_offsets(assigned)
            with contextlib.suppress(IllegalStateError):
                behind = [ends[partition] - await kafka.position(partition) for partition in assigned]
                return int(sum(behind))
        return 0
