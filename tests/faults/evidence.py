"""What the checker reads: tables as owners read them, every topic, the audit's copies, and what clients saw."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from kafka import KafkaConsumer

from ecm.admin.names import CONSUMES
from ecm.admin.whole_topics import client_settings, read_whole
from ecm.exchange.disclosure.disclose_sql import DIGEST_OF_A
from ecm.kit.bus.topics import client_topic, dead_letter_topic, service_topic
from ecm.kit.names import SERVICES
from ecm.kit.region import Region
from ecm.local.stack import Stack
from faults.concerns import concerns
from faults.ledger import Command, Ledger

SETTLE_SECONDS = 120.0
OWNERS = ("referrals", "consent", "formulation", "monitoring")
COMMON = ("record", "record_version", "outbox", "inbox", "idempotency", "narrowing_intent")
OWN = {
    "consent": ("grant_set", "recompile", "deadline", "narrowing"),
    "exchange": (
        *("projected_child", "projected_record", "resource", "resource_version", "fetch_queue", "grant_set"),
        *("search_token", "search_date", "search_reference", "search_string", "told", "dataref"),
        *("partner_outbox", "event_counter", "audit_writer", "audit_seal", "audit_checkpoint"),
    ),
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A record of a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    value: bytes


@dataclass
class Evidence:
    """All of it, read once. Damage a copy, and the checker must say so."""

    region: Region
    tables: dict[tuple[str, str], list[Row]]
    topics: dict[str, list[Message]]
    checkpoints: list[bytes]
    audit_key: bytes
    commands: list[Command]
    answered: Counter[str]
    stories: list[list[str]]

    def rows(self, service: str, table: str) -> list[Row]:
        """A table of a service's database."""
        return self.tables[service, table]

    def topic(self, service: str) -> list[Message]:
        """A service's topic, by partition and offset."""
        return self.topics[service_topic(self.region.slug, service)]

    def partner_topics(self) -> dict[str, list[Message]]:
        """Each client's topic."""
        return {one.id: self.topics[client_topic(self.region.slug, one.id)] for one in self.region.clients if one.topic}

    def dead_letters(self) -> list[Message]:
        """What any consumer has given up."""
        slug = self.region.slug
        names = [
            dead_letter_topic(service_topic(slug, one), who) for who, several in CONSUMES.items() for one in several
        ]
        return [message for name in names for message in self.topics[name]]


def gather(stack: Stack, ledger: Ledger, stories: Iterable[Sequence[str]]) -> Evidence:
    """Reads it all, as it is now."""
    region = stack.plan.load_region()
    names = [service_topic(region.slug, service) for service in SERVICES]
    names += [client_topic(region.slug, one.id) for one in region.clients if one.topic]
    names += [
        dead_letter_topic(service_topic(region.slug, one), who) for who, several in CONSUMES.items() for one in several
    ]
    return Evidence(
        region=region,
        tables=asyncio.run(_tables(stack)),
        topics=_topics(stack, names),
        checkpoints=[
            line for path in sorted(stack.paths.checkpoints.glob("*.jsonl")) for line in path.read_bytes().splitlines()
        ],
        audit_key=bytes.fromhex(stack.paths.exchange_key("audit").read_text().strip()),
        commands=list(ledger.commands),
        answered=Counter(ledger.answered),
        stories=[list(story) for story in stories],
    )


def settled(stack: Stack, ledger: Ledger, stories: Sequence[Sequence[str]]) -> Evidence:
    """The evidence once nothing is under way any more; as it is after two minutes, where something stays so."""
    until = time.monotonic() + SETTLE_SECONDS
    while not asyncio.run(_quiet(stack)) and time.monotonic() < until:
        time.sleep(1)
    return gather(stack, ledger, stories)


async def _quiet(stack: Stack) -> bool:
    """Whether every outbox is empty and every event has come to its consumers. What stays so, the checks name."""
    waits = [await _one(stack, service, "SELECT count(*) FROM outbox WHERE published_at IS NULL") for service in OWNERS]
    waits.append(await _one(stack, "exchange", "SELECT count(*) FROM partner_outbox WHERE published_at IS NULL"))
    waits.append(await _one(stack, "exchange", "SELECT count(*) FROM fetch_queue"))
    waits.append(await _one(stack, "exchange", "SELECT count(*) FROM projected_record WHERE hidden"))
    unsealed = "SELECT (SELECT count(*) FROM audit) - (SELECT coalesce(sum(length(digests)), 0) / 32 FROM audit_seal)"
    waits.append(await _one(stack, "exchange", unsealed))
    for service, sources in CONSUMES.items():
        waits.append(sum([await _meant(stack, service, source) for source in sources]) - await _heard(stack, service))
    return not any(waiting > 0 for waiting in waits)


async def _meant(stack: Stack, consumer: str, source: str) -> int:
    """How many of the source's events the consumer has a use for."""
    connection = await asyncpg.connect(stack.database_url(source, "owner"), ssl=False)
    try:
        rows = await connection.fetch("SELECT value FROM outbox")
    finally:
        await connection.close()
    return sum(concerns(consumer, source, row["value"]) for row in rows)


async def _heard(stack: Stack, consumer: str) -> int:
    return await _one(stack, consumer, "SELECT count(*) FROM inbox")


async def _one(stack: Stack, service: str, query: str) -> int:
    connection = await asyncpg.connect(stack.database_url(service, "owner"), ssl=False)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


async def _tables(stack: Stack) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for service in SERVICES:
        connection = await asyncpg.connect(stack.database_url(service, "owner"), ssl=False)
        try:
            for table in (*COMMON, *OWN.get(service, ())):
                found[service, table] = [dict(row) for row in await connection.fetch(f'SELECT * FROM "{table}"')]
            if service == "exchange":
                query = f"SELECT a.writer, a.n, a.client, a.digest, {DIGEST_OF_A} AS computed FROM audit a"
                found[service, "audit"] = [dict(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()
    return found


def _topics(stack: Stack, names: list[str]) -> dict[str, list[Message]]:
    consumer = KafkaConsumer(**client_settings(stack.kafka("ecm-admin")))
    found: dict[str, list[Message]] = {name: [] for name in names}
    try:
        for record in read_whole(consumer, names):
            headers = {name: value.decode() for name, value in record.headers}
            key = (record.key or b"").decode()
            found[record.topic].append(
                Message(record.topic, record.partition, record.offset, key, headers, record.value or b"")
            )
    finally:
        consumer.close()
    return found
