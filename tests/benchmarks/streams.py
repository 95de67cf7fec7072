"""From an owner's commit to a partner's topic, and from a contribution to its projection: how long.

When something was committed PostgreSQL says (`track_commit_timestamp`); when an event arrived the partner's own
consumer says. Both read the same clock.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from benchmarks.clients import calling
from benchmarks.filling import AGENCY
from benchmarks.living import Living
from ecm.admin.names import KAFKA_ADMIN
from ecm.api.common.v1.actor_pb2 import Actor
from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.demo import material
from ecm.demo.timeline import timeline
from ecm.kit.bus.topics import client_topic
from ecm.local.stack import Stack

PER_SECOND = 50
CONTRIBUTIONS_PER_SECOND = 10
ROUND_TRIP_TOPIC = "benchmark.round-trip"
PARTITIONS = 6
LINGER_MILLISECONDS = 2
PATIENCE_SECONDS = 60.0
_COMMITTED = """
    SELECT CAST(record_id AS text), extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {table}
     WHERE record_id = ANY($1) AND {newest}"""
_RECORDS = """
    SELECT d.token, CAST(r.record_id AS text) FROM dataref d JOIN resource r ON r.type = d.type AND r.id = d.id
     WHERE d.client_id = $1 AND d.token = ANY($2)"""


def figures(seconds: Sequence[float]) -> dict[str, float]:
    """Median and p99 in ms, and of how many."""
    if len(seconds) < 2:
        raise RuntimeError(f"{len(seconds)} came within {PATIENCE_SECONDS:g} s: too few to say how long they take.")
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50_ms": round(cuts[49] * 1000, 2), "p99_ms": round(cuts[98] * 1000, 2), "count": len(seconds)}


async def commit_to_topic(stack: Stack, living: Sequence[Living], seconds: float) -> dict[str, Any]:
    """Timeline entries at 50 commits a second, in between two series of produce-and-consume round trips.

    The product's producers don't linger. Theirs is the ratio; beside it that of one which does, as theirs did once.
    """
    before = [await _round_trips(stack, seconds / 4, linger) for linger in (0, LINGER_MILLISECONDS)]
    sent, arrived = await _commits(stack, living, seconds)
    after = [await _round_trips(stack, seconds / 4, linger) for linger in (0, LINGER_MILLISECONDS)]
    committed = await _committed(stack, "formulation", "record_version", sent)
    records = await _records(stack, list(arrived))
    first: dict[str, float] = {}
    for token, at in arrived.items():
        first.setdefault(records.get(token, ""), at)
    latencies = [first[record] - at for record, at in committed.items() if record in first]
    told = figures(latencies)
    trip, lingering = (figures([*some, *more]) for some, more in zip(before, after, strict=True))
    return told | {
        "commits": len(sent),
        "per_second": PER_SECOND,
        "round_trip": trip,
        "ratio": round(told["p50_ms"] / trip["p50_ms"], 2),
        "lingering": lingering | {"ratio": round(told["p50_ms"] / lingering["p50_ms"], 2)},
    }


async def contributions(stack: Stack, living: Sequence[Living], count: int) -> dict[str, Any]:
    """Until gRPC answers, and until the exchange has committed what it yields: so few a second that none waits for
    another."""
    actor = Actor(agency=AGENCY, client=AGENCY)
    document = Document(
        content_type="application/pdf", title="Chronology", content=material.pdf("Chronology"), language="en"
    )
    began: dict[str, float] = {}
    async with calling(stack, "formulation", FormulationServiceStub, actor=actor) as client:

        async def contribute(number: int) -> float:
            one = living[number % len(living)]
            request = formulation.ContributeInformationRequest(meeting_id=one.meeting_id, document=document)
            at = time.time()
            answer = await client.command("ContributeInformation", request)
            began[answer.ref.record_id] = at
            return time.time() - at

        answered = await _paced(contribute, count / CONTRIBUTIONS_PER_SECOND, CONTRIBUTIONS_PER_SECOND)
    projected = await _until(lambda: _committed(stack, "exchange", "projected_record", list(began)), len(began))
    return {
        "answered": figures(answered),
        "projected": figures([projected[record] - at for record, at in began.items() if record in projected]),
    }


async def _commits(stack: Stack, living: Sequence[Living], seconds: float) -> tuple[list[str], dict[str, float]]:
    """Ids of the records committed, and when each event's token arrived."""
    topic = client_topic(stack.plan.load_region().slug, AGENCY)
    arrived: dict[str, float] = {}
    async with (
        _consuming(stack, AGENCY, topic, lambda value, at: arrived.setdefault(_token(value), at)),
        calling(stack, "formulation", FormulationServiceStub, person="senior-practitioner") as client,
    ):

        async def add(number: int) -> str:
            one = living[number % len(living)]
            entry = timeline(one.subject)[0]
            request = formulation.AddTimelineEntryRequest(case_id=one.case_id, entry=entry)
            return str((await client.command("AddTimelineEntry", request)).ref.record_id)

        sent = await _paced(add, seconds)
        await _until(lambda: _arrived(arrived), len(sent))
    return sent, arrived


async def _arrived(arrived: dict[str, float]) -> dict[str, float]:
    return arrived


async def _round_trips(stack: Stack, seconds: float, linger: int) -> list[float]:
    """Seconds of each: from the send of an event's size until a consumer has it."""
    await asyncio.to_thread(_make_topic, stack)
    arrived: dict[str, float] = {}
    sent: dict[str, float] = {}
    producer = AIOKafkaProducer(
        **_connection(stack, KAFKA_ADMIN), enable_idempotence=True, acks="all", linger_ms=linger
    )
    await producer.start()
    try:
        async with _consuming(
            stack, KAFKA_ADMIN, ROUND_TRIP_TOPIC, lambda value, at: arrived.setdefault(value[:36].decode(), at)
        ):

            async def send(_: int) -> None:
                key = str(uuid.uuid4())
                sent[key] = time.time()
                await producer.send_and_wait(ROUND_TRIP_TOPIC, key.encode() + b"x" * 200, key=key.encode())

            await _paced(send, seconds)
            await _until(lambda: _arrived(arrived), len(sent))
    finally:
        await producer.stop()
    return [arrived[key] - at for key, at in sent.items() if key in arrived]


async def _paced(do: Callable[[int], Awaitable[Any]], seconds: float, per_second: int = PER_SECOND) -> list[Any]:
    """Begins so many a second, whatever becomes of those before."""
    began, tasks = time.monotonic(), []
    for number in range(round(seconds * per_second)):
        await asyncio.sleep(max(began + number / per_second - time.monotonic(), 0))
        tasks.append(asyncio.create_task(do(number)))  # type: ignore[arg-type]
    return list(await asyncio.gather(*tasks))


@asynccontextmanager
async def _consuming(
    stack: Stack, principal: str, topic: str, take: Callable[[bytes, float], Any]
) -> AsyncIterator[None]:
    """Hands on what comes to a topic from now on, and when."""
    consumer = AIOKafkaConsumer(topic, **_connection(stack, principal), auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()
    for partition in consumer.assignment():
        await consumer.position(partition)

    async def read() -> None:
        async for message in consumer:
            take(message.value, time.time())

    reading = asyncio.create_task(read())
    try:
        yield
    finally:
        reading.cancel()
        await consumer.stop()


async def _until(look: Callable[[], Awaitable[dict[str, float]]], count: int) -> dict[str, float]:
    """Looks until there are so many, at most a minute."""
    until = time.monotonic() + PATIENCE_SECONDS
    while len(found := await look()) < count and time.monotonic() < until:  # noqa: ASYNC110 - a database tells nobody
        await asyncio.sleep(0.1)
    return found


async def _committed(stack: Stack, service: str, table: str, records: Sequence[str]) -> dict[str, float]:
    """When the row of each record was committed."""
    newest = "version = 1" if table == "record_version" else "projected_version > 0"
    query = _COMMITTED.format(table=table, newest=newest)
    rows = await _fetch(stack, service, query, [uuid.UUID(record) for record in records])
    return {row[0]: float(row[1]) for row in rows}


async def _records(stack: Stack, tokens: Sequence[str]) -> dict[str, str]:
    """Token of an event's address → the record that it is about."""
    return dict(await _fetch(stack, "exchange", _RECORDS, AGENCY, tokens))


async def _fetch(stack: Stack, service: str, query: str, *values: Any) -> list[Any]:
    sql = await asyncpg.connect(stack.database_url(service, "owner"), ssl=False)
    try:
        return list(await sql.fetch(query, *values))
    finally:
        await sql.close()


def _token(value: bytes) -> str:
    return str(orjson.loads(value).get("dataref", "")).rpartition("/")[2]


def _connection(stack: Stack, principal: str) -> dict[str, Any]:
    access = stack.kafka(principal)
    return {
        "bootstrap_servers": access.bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": access.username,
        "sasl_plain_password": access.password,
    }


def _make_topic(stack: Stack) -> None:
    admin = KafkaAdminClient(**_connection(stack, KAFKA_ADMIN))
    try:
        if ROUND_TRIP_TOPIC not in admin.list_topics():
            admin.create_topics([NewTopic(ROUND_TRIP_TOPIC, PARTITIONS, 1)])
    finally:
        admin.close()
