"""Sends partners' events to their topics: once numbered, always sent, in order, at least once."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.exchange.streams.events import Headers, PartnerEvent
from ecm.exchange.streams.numbering import Numbering
from ecm.exchange.streams.reconcile import topic_clients
from ecm.kit.bus.producer import ProducerFactory, Sender, SendFailedError
from ecm.kit.bus.topics import client_topic
from ecm.kit.clock import Clock
from ecm.kit.metrics import OUTBOX_PUBLISHED
from ecm.kit.telemetry import logger
from ecm.kit.trace import new_trace

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]
    Row = asyncpg.Record

PER_CLIENT = 200
REST_SECONDS = 5.0
PRUNE_EVERY_SECONDS = 600.0

_WAITING = f"""
    SELECT * FROM (
        SELECT o.*, row_number() OVER (PARTITION BY o.client_id ORDER BY o.id) AS place
          FROM partner_outbox o WHERE o.published_at IS NULL) w
     WHERE w.place <= {PER_CLIENT} ORDER BY w.client_id, w.id"""  # noqa: S608 - a number of our own
_SENT = "UPDATE partner_outbox SET published_at = clock_timestamp() WHERE id = ANY($1)"
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

    async def work(self, connection: "Connection") -> bool:
        """Sends what waits; returns whether more does."""
        await self._by_the_clock()
        rows = await connection.fetch(_WAITING)
        # Beside each other, none left behind: what is under way is never sent again before it has ended.
        async with asyncio.TaskGroup() as group:
            of_client = groupby(rows, lambda row: row["client_id"])
            sending = [group.create_task(self._send(client, list(waiting))) for client, waiting in of_client]
        sent = [task.result() for task in sending]
        if any(sent):
            await connection.execute(_SENT, [place for places in sent for place in places])
        return any(len(places) == PER_CLIENT for places in sent)

    async def close(self) -> None:
        """Stops the producers, bounded."""
        for sender in self._senders.values():
            await sender.close()

    async def _send(self, client: str, rows: Sequence["Row"]) -> list[int]:
        """Ids of what Kafka has taken: all or none."""
        if self._resting.get(client, 0.0) > self._clock.boottime():
            return []
        topic = client_topic(self._region, client)
        sender = self._senders.setdefault(client, Sender(self._factory, topic))
        try:
            await sender.send([self._message(row) for row in rows])
        except SendFailedError:
            logger(topic=topic).warning("partner_outbox.send_failed", exc_info=True)
            self._resting[client] = self._clock.boottime() + REST_SECONDS
            return []
        OUTBOX_PUBLISHED.labels(topic).inc(len(rows))
        return [row["id"] for row in rows]

    def _message(self, row: "Row") -> tuple[bytes, bytes, Headers]:
        event = PartnerEvent(
            id=row["event_id"],
            kind=row["event_type"],
            time=row["created_at"],
            key=row["key"],
            dataref=f"{self._base}/events/{row['token']}" if row["token"] else "",
            generation=row["generation"],
            sequence=row["sequence"],
        )
        return event.key.encode(), event.body(), event.headers(self._region, new_trace().traceparent)

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
