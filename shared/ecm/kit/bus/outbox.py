"""Publishes a service's outbox: woken by NOTIFY, polling as the fallback, one relay per database."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic import SecretStr
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.kit.back_off import back_off
from ecm.kit.bus.events import Event, Headers, encode_headers
from ecm.kit.bus.producer import ProducerFactory, Sender, SendFailedError
from ecm.kit.clock import Clock
from ecm.kit.db.tables import idempotency, inbox, outbox
from ecm.kit.db.transaction import OUTBOX_CHANNEL
from ecm.kit.db.worker import BACK_OFF_SECONDS, Worker
from ecm.kit.metrics import OUTBOX_PUBLISHED, OUTBOX_SECONDS, OUTBOX_WAITING
from ecm.kit.telemetry import logger

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]
    Row = asyncpg.Record

BATCH = 500
PRUNE_EVERY_SECONDS = 600.0
PUBLISHED_KEPT = timedelta(days=2)
# Longer than the topics keep an event (7 days): a replay must find its id.
INBOX_KEPT = timedelta(days=30)
IDEMPOTENCY_KEPT = timedelta(days=30)

_ONE_RELAY = "ecm-outbox"
_WAITING = f"""
    SELECT id, event_id, key, type, value, traceparent, created_at FROM outbox
     WHERE published_at IS NULL ORDER BY id LIMIT {BATCH}"""  # noqa: S608 - a number of our own
_ASK = text("SELECT 1")
_SENT = "UPDATE outbox SET published_at = now() WHERE id = ANY($1)"


class OutboxRelay:
    """Publishes rows in the order of their ids, which is the order of each record's versions.

    A row is sent at least once: readers know a repetition by `ce_id`. A row is
    marked only after Kafka has acknowledged it and all before it. Reads and marks
    on the connection that holds the turn: who has lost the turn does neither.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        producer_factory: ProducerFactory,
        topic: str,
        source: str,
        *,
        listen_url: str | SecretStr,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._topic = topic
        self._source = source
        self._clock = clock
        self._sender = Sender(producer_factory, topic)
        self._worker = Worker(_ONE_RELAY, listen_url, OUTBOX_CHANNEL, self._relay, recover=self._ask_the_pool)
        self._failures = 0
        self._prune_at = 0.0

    async def run(self) -> None:
        """Relays until cancelled. Outages of Kafka or PostgreSQL are ridden out with back-off."""
        try:
            await self._worker.run()
        finally:
            await self._sender.close()

    async def _ask_the_pool(self) -> None:
        """Where one connection went without a word others did: found out here, and no command waits for them."""
        with contextlib.suppress(Exception):
            async with self._engine.connect() as connection:
                await connection.execute(_ASK)

    async def publish_waiting(self, connection: "Connection") -> int:
        """Publishes one batch; returns how many rows. SendFailedError where Kafka didn't take it."""
        rows = await connection.fetch(_WAITING)
        OUTBOX_WAITING.labels(self._topic).set(len(rows))
        if rows:
            await self._sender.send([self._message(row) for row in rows])
            await self._mark(connection, rows)
        return len(rows)

    async def prune(self) -> None:
        """Deletes what has served its time: published rows, old inbox and idempotency entries."""
        now = self._clock.now()
        async with self._engine.begin() as connection:
            await connection.execute(delete(outbox).where(outbox.c.published_at < now - PUBLISHED_KEPT))
            await connection.execute(delete(inbox).where(inbox.c.received_at < now - INBOX_KEPT))
            await connection.execute(delete(idempotency).where(idempotency.c.created_at < now - IDEMPOTENCY_KEPT))

    async def _relay(self, connection: "Connection") -> bool:
        """Whether more may wait."""
        published = 0
        try:
            published = await self.publish_waiting(connection)
            self._failures = 0
        except SendFailedError:
            logger(topic=self._topic, attempt=self._failures).warning("outbox.send_failed", exc_info=True)
            # A broker that hangs took most of the time after which who says nothing loses the turn.
            await connection.execute("SELECT 1")
            await asyncio.sleep(back_off(BACK_OFF_SECONDS, self._failures))
            self._failures += 1
        await self._prune_sometimes()
        return published == BATCH

    async def _prune_sometimes(self) -> None:
        now = self._clock.boottime()
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY_SECONDS
            await self.prune()

    def _message(self, row: "Row") -> tuple[bytes, bytes, Headers]:
        event = Event(
            id=str(row["event_id"]),
            type=row["type"],
            source=self._source,
            time=row["created_at"],
            key=row["key"],
            traceparent=row["traceparent"],
            value=row["value"],
        )
        return event.key.encode(), event.value, encode_headers(event)

    async def _mark(self, connection: "Connection", rows: Sequence["Row"]) -> None:
        await connection.execute(_SENT, [row["id"] for row in rows])
        OUTBOX_PUBLISHED.labels(self._topic).inc(len(rows))
        now = self._clock.now()
        for row in rows:
            OUTBOX_SECONDS.labels(self._topic).observe((now - row["created_at"]).total_seconds())
