"""Outbox to Kafka to consumer: nothing lost, every effect once, poison set aside."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.builders import EVENTS, KitSettings, a_child, child
from ecm.api.referrals.v1.referrals_events_pb2 import RecordChanged
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.dead_letters import origin_headers
from ecm.kit.bus.events import Event, decode
from ecm.kit.bus.handling import in_transaction
from ecm.kit.bus.outbox import OutboxRelay
from ecm.kit.bus.producer import Sender, SendFailedError, connection, make_producer
from ecm.kit.clock import SystemClock
from ecm.kit.db.tables import idempotency, inbox, outbox
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from ecm.kit.trace import current_trace, new_trace, with_trace
from unit.kit.builders import example_region, person


@pytest.fixture
def uow(engine: AsyncEngine) -> UnitOfWork:
    """Real time: a consumer's pauses are on the clock."""
    return UnitOfWork(engine, SystemClock(), RandomIds(), example_region(), EVENTS)


def relay(uow: UnitOfWork, settings: KitSettings, topic: str) -> OutboxRelay:
    return OutboxRelay(
        uow.engine,
        lambda: make_producer(settings),
        topic,
        "/example/kit",
        listen_url=settings.database_url,
        clock=uow.clock,
    )


@asynccontextmanager
async def running(*works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)


async def read_all(settings: KitSettings, topic: str, number: int) -> list[Any]:
    """The first messages of a topic, from all its partitions."""
    kafka = AIOKafkaConsumer(topic, **connection(settings), auto_offset_reset="earliest")
    await kafka.start()
    try:
        async with asyncio.timeout(20):
            return [await kafka.getone() for _ in range(number)]
    finally:
        await kafka.stop()


async def read_ids(settings: KitSettings, topic: str, number: int) -> set[bytes]:
    """The first `number` events by their ids: a relay that was ended before it marked one sends it again."""
    found: set[bytes] = set()
    kafka = AIOKafkaConsumer(topic, **connection(settings), auto_offset_reset="earliest")
    await kafka.start()
    try:
        async with asyncio.timeout(20):
            while len(found) < number:
                found.add(dict((await kafka.getone()).headers)["ce_id"])
        return found
    finally:
        await kafka.stop()


class Handler:
    """Notes each event in the transaction, as an outbox row, and in memory; fails where told."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self.traces: list[str] = []
        self.failures: dict[str, Exception] = {}

    async def __call__(self, event: Event, tx: Tx) -> None:
        self.seen.append(event)
        self.traces.append(current_trace().trace_id)
        failure = self.failures.get(event.key)
        tx.emit("effect", f"effect-{event.id}", RecordChanged())
        if failure is not None:
            raise failure


async def effects(uow: UnitOfWork) -> list[str]:
    async with uow.engine.connect() as conn:
        rows = await conn.execute(select(outbox.c.key).where(outbox.c.type == "effect").order_by(outbox.c.id))
        return [row.key.removeprefix("effect-") for row in rows]


async def has_effects(uow: UnitOfWork, number: int) -> bool:
    return len(await effects(uow)) >= number


async def send(settings: KitSettings, topic: str, *events: Event) -> None:
    from ecm.kit.bus.events import encode_headers

    sender = Sender(lambda: make_producer(settings), topic)
    await sender.send([(event.key.encode(), event.value, encode_headers(event)) for event in events])
    await sender.close()


def event(key: str = "") -> Event:
    return Event(
        str(uuid4()),
        "ecm.test",
        "/example/kit",
        SystemClock().now(),
        key or str(uuid4()),
        new_trace().traceparent,
        b"x",
    )


async def test_outbox_rows_arrive_as_cloud_events_in_order(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    parent = new_trace()
    async with running(relay(uow, settings, topic).run):
        with with_trace(parent.traceparent):
            made = await a_child(uow)
            for n in range(3):
                async with uow.begin(person()) as tx:
                    made = await tx.records.update(made, child(f"N{n}"))
        messages = await read_all(settings, topic, 4)
    told = [decode(message) for message in messages]
    assert [RecordChanged.FromString(event.value).version for event in told] == [1, 2, 3, 4]
    assert {event.key for event in told} == {str(made.record_id)}
    assert {event.type for event in told} == {"ecm.api.referrals.v1.RecordChanged"}
    assert {event.source for event in told} == {"/example/kit"}
    assert {event.traceparent.split("-")[1] for event in told} == {parent.trace_id}
    assert dict(messages[0].headers)["content-type"] == b"application/protobuf"
    assert len({UUID(event.id) for event in told}) == 4


async def test_the_relay_is_woken_not_polling(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    waiting = select(func.count()).select_from(outbox).where(outbox.c.published_at.is_(None))

    async def empty() -> bool:
        async with uow.engine.connect() as conn:
            return (await conn.execute(waiting)).scalar_one() == 0

    loop = asyncio.get_running_loop()
    async with running(relay(uow, settings, topic).run):
        await a_child(uow)
        await until(empty)
        took = []
        for _ in range(5):
            await asyncio.sleep(0.15)
            started = loop.time()
            await a_child(uow)
            await until(empty)
            took.append(loop.time() - started)
    assert sorted(took)[2] < 0.5, f"half of them took longer than half of the polling interval: {took}"


async def test_of_two_relays_one_works_and_the_other_takes_over(
    uow: UnitOfWork, settings: KitSettings, topic: str
) -> None:
    first, second = relay(uow, settings, topic), relay(uow, settings, topic)
    async with running(first.run):
        await a_child(uow)
        await read_ids(settings, topic, 1)
        async with running(second.run):
            await a_child(uow)
            await read_ids(settings, topic, 2)
    async with running(second.run):
        await a_child(uow)
        assert len(await read_ids(settings, topic, 3)) == 3


async def test_pruning(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    from datetime import timedelta

    old = uow.clock.now() - timedelta(days=31)
    async with uow.engine.begin() as conn:
        row = {"key": "k", "type": "t", "value": b"", "traceparent": "", "created_at": old}
        await conn.execute(insert(outbox).values(**row, event_id=uuid4(), published_at=old))
        await conn.execute(insert(outbox).values(**row, event_id=uuid4()))
        await conn.execute(insert(inbox).values(consumer="c", event_id="e", received_at=old))
        await conn.execute(
            insert(idempotency).values(principal="p", method="m", key="k", request_hash=b"", created_at=old)
        )
    await relay(uow, settings, topic).prune()
    async with uow.engine.connect() as conn:
        left = [
            (await conn.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (outbox, inbox, idempotency)
        ]
    assert left == [1, 0, 0], "what isn't published yet stays"


def consumer(uow: UnitOfWork, settings: KitSettings, topic: str, handler: Handler, **more: Any) -> Consumer:
    return Consumer(settings, [topic], "ecm-kit", in_transaction(handler), uow, **more)


async def test_every_effect_once(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    events, handler = [event() for _ in range(10)], Handler()
    # A relay that crashed before it marked its rows sends them again.
    await send(settings, topic, *events, *events)
    async with running(consumer(uow, settings, topic, handler).run):
        await until(lambda: len(handler.seen) >= 10)
        await send(settings, topic, last := event())
        await until(lambda: has_effects(uow, 11))
    done = await effects(uow)
    assert sorted(done) == sorted({each.id for each in (*events, last)})
    assert set(handler.traces) == {each.traceparent.split("-")[1] for each in (*events, last)}


async def test_a_restarted_consumer_goes_on_where_it_was(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    handler = Handler()
    for n in range(1, 4):
        await send(settings, topic, event("one-key"))
        async with running(consumer(uow, settings, topic, handler).run):
            await until(lambda n=n: has_effects(uow, n))
    assert len(handler.seen) == 3


async def test_poison_goes_to_the_dead_letters_after_three_tries(
    uow: UnitOfWork, settings: KitSettings, topic: str
) -> None:
    handler, noted = Handler(), []
    poison, good = event("k"), event("k")
    handler.failures["k"] = ValueError("Jane Doe of 1 High Street")

    async def note(event: Event, tx: Tx, error: Exception) -> None:
        noted.append(event.id)
        if len(noted) == 3:
            handler.failures.clear()

    await send(settings, topic, poison, good)
    async with running(consumer(uow, settings, topic, handler, on_failure=note).run):
        (dead,) = await read_all(settings, f"{topic}.kit.dlq", 1)
        await until(lambda: has_effects(uow, 1))
    assert [seen.id for seen in handler.seen] == [poison.id] * 3 + [good.id]
    assert noted == [poison.id] * 3
    assert await effects(uow) == [good.id]
    headers = dict(dead.headers)
    assert headers["ecm-dead-error-class"] == b"ValueError" and headers["ecm-dead-attempts"] == b"3"
    assert headers["ecm-dead-topic"].decode() == topic and b"Jane" not in b"".join(headers.values())
    assert decode(dead).id == poison.id and dead.value == poison.value
    assert not [name for name, _ in origin_headers(dead.headers) if name.startswith("ecm-dead")]


async def test_what_is_no_event_goes_to_the_dead_letters(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    sender, handler = Sender(lambda: make_producer(settings), topic), Handler()
    await sender.send([(b"k", b"junk", [])])
    await sender.close()
    async with running(consumer(uow, settings, topic, handler).run):
        (dead,) = await read_all(settings, f"{topic}.kit.dlq", 1)
    assert dict(dead.headers)["ecm-dead-error-class"] == b"MalformedEventError" and handler.seen == []


async def test_what_passes_by_itself_is_waited_for_and_others_go_on(
    uow: UnitOfWork, settings: KitSettings, topic: str
) -> None:
    handler = Handler()
    held, others = event("held"), [event() for _ in range(20)]
    handler.failures["held"] = DomainError(Reason.PEER_UNREACHABLE, "Away.")
    await send(settings, topic, held)
    async with running(consumer(uow, settings, topic, handler).run):
        await until(lambda: [seen.key for seen in handler.seen].count("held") >= 4)
        await send(settings, topic, *others)
        await until(lambda: len({seen.id for seen in handler.seen}) > 5)
        assert held.id not in await effects(uow)
        handler.failures.clear()
        await until(lambda: has_effects(uow, 21))
    done = await effects(uow)
    assert sorted(done) == sorted(each.id for each in (held, *others)), "nothing lost, nothing dead, nothing twice"


async def test_a_failure_that_was_not_noted_is_not_given_up(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    handler, tries = Handler(), []
    handler.failures["k"] = ValueError()

    async def cannot_note(event: Event, tx: Tx, error: Exception) -> None:
        tries.append(event.id)
        if len(tries) < 5:
            raise DomainError(Reason.PEER_UNREACHABLE, "Away.")

    await send(settings, topic, event("k"))
    async with running(consumer(uow, settings, topic, handler, on_failure=cannot_note).run):
        await read_all(settings, f"{topic}.kit.dlq", 1)
    assert len(tries) == 5


async def test_a_wrong_password_is_bounded(settings: KitSettings, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecm.kit.bus.producer.START_SECONDS", 2.0)
    wrong = settings.model_copy(update={"kafka_password": type(settings.kafka_password)("wrong")})
    sender = Sender(lambda: make_producer(wrong), topic)
    with pytest.raises(SendFailedError):
        await sender.send([(b"k", b"v", [])])
