"""What a consumer passes over, and what it does side by side."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from contract.kit.builders import KitSettings
from contract.kit.test_bus import Handler, consumer, effects, event, has_effects, running, send, until
from contract.kit.test_bus import uow as uow  # noqa: PLC0414 - the fixture
from ecm.kit.bus.consumer import BATCH, Consumer
from ecm.kit.bus.events import Event
from ecm.kit.bus.partitions import Partitions
from ecm.kit.db.tables import inbox
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason


async def test_what_does_not_concern_it_leaves_nothing(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    handler, strange, wanted = Handler(), event("one-key"), event("one-key")

    def concerns(found: Event) -> bool:
        return found.id != strange.id

    await send(settings, topic, strange, wanted)
    async with running(consumer(uow, settings, topic, handler, concerns=concerns).run):
        await until(lambda: has_effects(uow, 1))
    assert await effects(uow) == [wanted.id]
    async with uow.engine.connect() as conn:
        noted = (await conn.execute(select(inbox.c.event_id))).scalars().all()
    assert noted == [wanted.id], "no transaction was made for the other"


async def test_what_cannot_be_judged_is_handled(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    def unable(_: Event) -> bool:
        raise ValueError("unreadable")

    handler = Handler()
    await send(settings, topic, event())
    async with running(consumer(uow, settings, topic, handler, concerns=unable).run):
        await until(lambda: has_effects(uow, 1))


async def test_partitions_go_on_beside_each_other(uow: UnitOfWork, settings: KitSettings, topic: str) -> None:
    handler, others = Handler(), asyncio.Event()
    partitions: set[int] = set()

    async def wait_for_another(found: Event, tx: Tx) -> None:
        partitions.add(found.partition)
        if len(partitions) > 1:
            others.set()
        await others.wait()
        await handler(found, tx)

    events = [event() for _ in range(30)]
    await send(settings, topic, *events)
    two = consumer(uow, settings, topic, wait_for_another, partitions_at_once=2)  # type: ignore[arg-type]
    async with running(two.run):
        await until(lambda: has_effects(uow, 30))
    order = [each.id for each in handler.seen]
    for partition in partitions:
        mine = [each.offset for each in handler.seen if each.partition == partition]
        assert mine == sorted(mine), "within a partition one follows the other"
    assert sorted(order) == sorted(each.id for each in events)


async def test_a_partition_does_not_wait_for_what_another_was_sent_before(
    uow: UnitOfWork, settings: KitSettings, topic: str
) -> None:
    handler, slow, goes_on = Handler(), event("slow"), asyncio.Event()
    in_hand = asyncio.Event()

    async def wait_for_the_slow(found: Event, tx: Tx) -> None:
        if found.id == slow.id:
            in_hand.set()
            await goes_on.wait()
        await handler(found, tx)

    two = consumer(uow, settings, topic, wait_for_the_slow, partitions_at_once=2)  # type: ignore[arg-type]
    async with running(two.run):
        await send(settings, topic, slow)
        await asyncio.wait_for(in_hand.wait(), 20)
        later = [event() for _ in range(30)]
        await send(settings, topic, *later)
        await until(lambda: has_effects(uow, 10), seconds=10)
        goes_on.set()
        await until(lambda: has_effects(uow, 31))
    for partition in {each.partition for each in handler.seen}:
        mine = [each.offset for each in handler.seen if each.partition == partition]
        assert mine == sorted(mine), "within a partition one follows the other"


async def test_a_partition_that_is_far_behind_keeps_no_other_waiting(
    uow: UnitOfWork, settings: KitSettings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_behind, behind = 700, asyncio.Event()
    seen: list[str] = []
    waiting: list[int] = []
    add = Partitions.add

    def counted(partitions: Partitions, partition: Any, messages: Any) -> None:
        add(partitions, partition, messages)
        waiting.append(partitions.waiting())

    monkeypatch.setattr(Partitions, "add", counted)

    async def handle(found: Event, tx: Tx) -> None:
        if found.key == "far-behind":
            await behind.wait()
        seen.append(found.key)

    await send(settings, topic, *(event("far-behind") for _ in range(far_behind)))
    two = consumer(uow, settings, topic, handle, partitions_at_once=2)  # type: ignore[arg-type]
    async with running(two.run):
        await asyncio.sleep(3)
        await send(settings, topic, *(event() for _ in range(30)))
        await until(lambda: len(seen) >= 5, seconds=10)
        assert "far-behind" not in seen
        assert max(waiting) < 2 * BATCH + 30, "what isn't handled yet stays in Kafka"
        behind.set()
        await until(lambda: len(seen) == far_behind + 30, seconds=60)


async def test_what_is_begun_before_the_transaction_gives_the_handler_and_is_ended(
    uow: UnitOfWork, settings: KitSettings, topic: str
) -> None:
    handler, ended = Handler(), list[str]()

    @contextmanager
    def begin(found: Event) -> Iterator[Handler]:
        try:
            yield handler
        finally:
            ended.append(found.id)

    good, bad = event("good"), event("bad")
    handler.failures["bad"] = DomainError(Reason.PEER_UNREACHABLE, "away")
    await send(settings, topic, good, bad)
    async with running(Consumer(settings, [topic], "ecm-kit", begin, uow).run):
        await until(lambda: len([each for each in ended if each == bad.id]) > 1)
    assert await effects(uow) == [good.id]
    assert ended.count(good.id) == 1
