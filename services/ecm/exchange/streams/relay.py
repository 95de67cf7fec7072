"""Sends partners' events to their topics: once numbered, always sent, in order, at least once."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.exchange.streams.events import PartnerEvent
from ecm.exchange.streams.numbering import Numbering
from ecm.exchange.streams.reconcile import topic_clients
from ecm.kit.bus.producer import ProducerFactory, Sender, SendFailedError
from ecm.kit.bus.topics import client_topic
from ecm.kit.clock import Clock
from ecm.kit.metrics import OUTBOX_PUBLISHED
from ecm.kit.telemetry import logger
from ecm.kit.trace import new_trace

PER_CLIENT = 200
REST_SECONDS = 5.0
PRUNE_EVERY_SECONDS = 600.0

_WAITING = text("""
    SELECT * FROM (
        SELECT o.*, row_number() OVER (PARTITION BY o.client_id ORDER BY o.id) AS place
          FROM partner_outbox o WHERE o.published_at IS NULL) w
     WHERE w.place <= :most ORDER BY w.client_id, w.id""")
_SENT = text("UPDATE partner_outbox SET published_at = clock_timestamp() WHERE id = ANY(:sent)")
_PRUNE = text("DELETE FROM partner_outbox WHERE published_at < clock_timestamp() - interval '2 days'")


class PartnerRelay:
    """Publishes `partner_outbox`. A client whose topic takes nothing rests; the others go on."""

    def __init__(
        self,
        engine: AsyncEngine,
        producer_factory: ProducerFactory,
        numbering: Numbering,
        *,
        region: str,
        fhir_base: str,
        clock: Clock,
        heartbeat_seconds: float,
    ) -> None:
        self._engine = engine
        # For statements that stand alone: no transaction round them.
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._factory = producer_factory
        self._numbering = numbering
        self._region = region
        self._base = fhir_base
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._senders: dict[str, Sender] = {}
        self._resting: dict[str, float] = {}
        self._heartbeat_at = clock.boottime() + heartbeat_seconds
        self._prune_at = clock.boottime() + PRUNE_EVERY_SECONDS

    async def work(self) -> bool:
        """Sends what waits; returns whether more does."""
        await self._by_the_clock()
        rows = await self._waiting()
        # Beside each other, none left behind: what is under way is never sent again before it has ended.
        async with asyncio.TaskGroup() as group:
            of_client = groupby(rows, lambda row: row.client_id)
            sent = [group.create_task(self._send(client, list(waiting))) for client, waiting in of_client]
        return any(task.result() == PER_CLIENT for task in sent)

    async def close(self) -> None:
        """Stops the producers, bounded."""
        for sender in self._senders.values():
            await sender.close()

    async def _waiting(self) -> Sequence[Row[Any]]:
        async with self._single.connect() as conn:
            return (await conn.execute(_WAITING, {"most": PER_CLIENT})).all()

    async def _send(self, client: str, rows: Sequence[Row[Any]]) -> int:
        if self._resting.get(client, 0.0) > self._clock.boottime():
            return 0
        topic = client_topic(self._region, client)
        sender = self._senders.setdefault(client, Sender(self._factory, topic))
        try:
            await sender.send([self._message(row) for row in rows])
        except SendFailedError:
            logger(topic=topic).warning("partner_outbox.send_failed", exc_info=True)
            self._resting[client] = self._clock.boottime() + REST_SECONDS
            return 0
        async with self._single.connect() as conn:
            await conn.execute(_SENT, {"sent": [row.id for row in rows]})
        OUTBOX_PUBLISHED.labels(topic).inc(len(rows))
        return len(rows)

    def _message(self, row: Row[Any]) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        dataref = f"{self._base}/events/{row.token}" if row.token else ""
        event = PartnerEvent(
            row.event_id, row.event_type, row.created_at, row.key, dataref, row.generation, row.sequence
        )
        return row.key.encode(), event.body(), event.headers(self._region, new_trace().traceparent)

    async def _by_the_clock(self) -> None:
        now = self._clock.boottime()
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + self._heartbeat_seconds
            async with self._engine.begin() as conn:
                for client in await topic_clients(conn):
                    await self._numbering.heartbeat(conn, client.client_id)
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY_SECONDS
            async with self._engine.begin() as conn:
                await conn.execute(_PRUNE)
