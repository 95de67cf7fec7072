"""The relay's turn where the broker hangs."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.builders import EVENTS, KitSettings, a_child
from contract.kit.test_bus import read_all, running
from ecm.kit.bus.outbox import OutboxRelay
from ecm.kit.bus.producer import make_producer
from ecm.kit.clock import SystemClock
from ecm.kit.db.turns import turn
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import RandomIds
from unit.kit.builders import example_region


class Hanging:
    """A producer of a broker that takes connections, and answers nothing."""

    async def start(self) -> None:
        await asyncio.sleep(2)
        raise KafkaConnectionError

    async def stop(self) -> None:
        """There is nothing."""


async def test_a_broker_that_hangs_doesnt_cost_the_turn(
    engine: AsyncEngine, settings: KitSettings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending and resting take longer together than a turn may say nothing, none of both alone."""
    uow = UnitOfWork(engine, SystemClock(), RandomIds(), example_region(), EVENTS)
    turns: list[str] = []
    hanging = [Hanging(), Hanging()]

    def counted(url: str, name: str, *more: Any) -> Any:
        turns.append(name)
        return turn(url, name, *more)

    monkeypatch.setattr("ecm.kit.db.turns.IDLE_SECONDS", 3)
    monkeypatch.setattr("ecm.kit.bus.outbox.BACK_OFF_SECONDS", (1.5,))
    monkeypatch.setattr("ecm.kit.db.worker.turn", counted)
    sending = OutboxRelay(
        engine,
        lambda: hanging.pop() if hanging else make_producer(settings),
        topic,
        "/example/kit",
        listen_url=settings.database_url,
        clock=uow.clock,
    )
    await a_child(uow)
    async with running(sending.run):
        await read_all(settings, topic, 1)
    assert hanging == []
    assert len(turns) == 1
