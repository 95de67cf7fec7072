"""From an owner's topic to the projection, on real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest_asyncio

from ecm.api.referrals.v1.referrals_events_pb2 import RECORD_KIND_CHILD, RecordChanged
from ecm.exchange.consumer import make_consumer
from ecm.exchange.settings import ExchangeSettings
from ecm.kit.bus.events import Event, encode_headers
from ecm.kit.bus.producer import Sender, make_producer
from ecm.kit.bus.topics import service_topic
from ecm.kit.clock import SystemClock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import RandomIds
from ecm.kit.settings import ServiceSettings
from ecm.kit.trace import new_trace
from ecm.local.stack import Stack
from exchange.inbound.world import PSYCHOLOGY, World, child_content, patient_grant
from exchange.owners import settings_of

Publish = Callable[[UUID, int], Awaitable[None]]


@pytest_asyncio.fixture
async def publish(infrastructure: Stack) -> AsyncIterator[Publish]:
    """Says, as `referrals`, that a child's file has a version."""
    settings = settings_of(infrastructure, "referrals", ServiceSettings)
    sender = Sender(lambda: make_producer(settings), service_topic("example", "referrals"))

    async def send(child: UUID, version: int) -> None:
        changed = RecordChanged(record_id=str(child), child_id=str(child), kind=RECORD_KIND_CHILD, version=version)
        event = Event(
            id=str(uuid4()),
            type=RecordChanged.DESCRIPTOR.full_name,
            source="/example/referrals",
            time=datetime.now(UTC),
            key=str(child),
            traceparent=new_trace().traceparent,
            value=changed.SerializeToString(),
        )
        await sender.send([(event.key.encode(), event.value, encode_headers(event))])

    yield send
    await sender.close()


@asynccontextmanager
async def consuming(world: World, infrastructure: Stack) -> AsyncIterator[None]:
    settings = settings_of(infrastructure, "exchange", ExchangeSettings)
    uow = UnitOfWork(world.engine, SystemClock(), RandomIds(), world.region, RecordEvents({}, RecordChanged))
    task = asyncio.create_task(make_consumer(settings, "example", uow, world.projection).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.1)


async def test_an_event_is_followed_hidden_where_it_cant_be_and_shown_again(
    world: World, infrastructure: Stack, publish: Publish
) -> None:
    child, stranger = await world.child(), await world.child()
    await world.open_region()
    await world.grant(child, patient_grant())
    await world.look()

    async def family() -> str:
        seen = await world.visible(PSYCHOLOGY, child)
        return str(seen["Patient"]["name"][0]["family"]) if "Patient" in seen else ""

    async with consuming(world, infrastructure):
        await world.owners.put("referrals", "CHILD", child, child_content(family_name="Secondname"), child)
        await publish(stranger, 1)
        await publish(child, 2)
        await until(lambda: _is(family, "Secondname"))

        world.owners.away.add("referrals")
        await world.owners.put("referrals", "CHILD", child, child_content(family_name="Thirdname"), child)
        await publish(child, 3)
        await until(lambda: _is(family, ""))
        world.owners.away.clear()
        await until(lambda: _is(family, "Thirdname"))

        # An event that comes late changes nothing.
        await publish(child, 2)
        await asyncio.sleep(1)
        assert await family() == "Thirdname"
    assert await world.rows("SELECT 1 FROM resource WHERE child_id = :child", child=stranger) == []


async def _is(found: Callable[[], Awaitable[str]], wanted: str) -> bool:
    return await found() == wanted
