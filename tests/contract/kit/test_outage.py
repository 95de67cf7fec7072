"""Kafka dies under traffic, PostgreSQL dies under traffic: nothing is lost, nothing happens twice, nothing spins."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.builders import EVENTS, KitSettings, a_child
from contract.kit.conftest import Database
from contract.kit.test_bus import relay, running, until
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.events import Event
from ecm.kit.bus.handling import in_transaction
from ecm.kit.clock import SystemClock
from ecm.kit.db.engine import make_engine
from ecm.kit.db.tables import idempotency, outbox
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError
from ecm.kit.ids import RandomIds
from ecm.local.stack import Stack
from faulting.proxy import Proxy
from unit.kit.builders import example_region

OUTAGE_SECONDS = 6.0


async def effect(event: Event, tx: Tx) -> None:
    """A row per event, which could be there twice: not in the outbox, or it would come round again."""
    row = {"principal": "effect", "method": event.id, "key": str(uuid4()), "request_hash": b"", "created_at": tx.now}
    await tx.conn.execute(insert(idempotency).values(row))


async def effects(uow: UnitOfWork) -> list[str]:
    async with uow.engine.connect() as connection:
        return list((await connection.execute(select(idempotency.c.method))).scalars())


async def write_slowly(uow: UnitOfWork, stop: asyncio.Event) -> int:
    """A record every 50 ms until told to stop; how many were committed."""
    written = 0
    while not stop.is_set():
        try:
            await a_child(uow)
            written += 1
        except DomainError as error:
            assert error.retryable
        await asyncio.sleep(0.05)
    return written


async def keep_down(stack: Stack, part: str, number: int, seconds: float) -> None:
    """Ends the part as often as its supervisor starts it."""
    until_ = time.monotonic() + seconds
    while time.monotonic() < until_:
        process = stack.state.parts[part].process
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process.identity.pid, number)
        await asyncio.sleep(0.2)
    await asyncio.to_thread(stack.wait_healthy, part)


async def through_an_outage(engine: AsyncEngine, settings: KitSettings, topic: str, outage: Awaitable[None]) -> float:
    """Writes, relays and consumes through the outage; the share of one processor that it took."""
    uow = UnitOfWork(engine, SystemClock(), RandomIds(), example_region(), EVENTS)
    stop = asyncio.Event()
    works = (relay(uow, settings, topic).run, Consumer(settings, [topic], "ecm-kit", in_transaction(effect), uow).run)
    async with running(*works):
        await a_child(uow)

        async def flowing() -> bool:
            return len(await effects(uow)) == 1

        await until(flowing)
        writing = asyncio.ensure_future(write_slowly(uow, stop))
        await asyncio.sleep(0.5)
        used, began = time.process_time(), time.monotonic()
        await outage
        share = (time.process_time() - used) / (time.monotonic() - began)
        stop.set()
        written = 1 + await writing

        async def all_done() -> bool:
            return len(await effects(uow)) >= written

        await until(all_done, seconds=40)
        await asyncio.sleep(1)
    done = await effects(uow)
    assert len(done) == len(set(done))
    # A commit whose answer was lost with the connection counts as not written.
    assert written <= len(done) <= written + 1
    return share


async def test_kafka_is_killed(infrastructure: Stack, engine: AsyncEngine, settings: KitSettings, topic: str) -> None:
    await through_an_outage(engine, settings, topic, keep_down(infrastructure, "kafka", signal.SIGKILL, 0.1))


async def test_kafka_stays_away_after_an_orderly_stop(
    infrastructure: Stack, engine: AsyncEngine, settings: KitSettings, topic: str
) -> None:
    outage = keep_down(infrastructure, "kafka", signal.SIGTERM, OUTAGE_SECONDS)
    share = await through_an_outage(engine, settings, topic, outage)
    # One that spins takes a whole processor; other suites' services live in this process too.
    assert share < 0.9, "clients of a broker that stopped in order spin, if let"


async def test_postgres_is_killed(
    infrastructure: Stack, engine: AsyncEngine, settings: KitSettings, topic: str
) -> None:
    await through_an_outage(engine, settings, topic, keep_down(infrastructure, "postgres", signal.SIGKILL, 0.1))


async def test_connections_that_are_gone_without_a_word_are_made_anew(
    database: Database, engine: AsyncEngine, settings: KitSettings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a firewall forgets them: nothing comes back, not even an end, and the server knows nothing of it."""
    # The turn stays with who is gone until the server ends its session.
    monkeypatch.setattr("ecm.kit.db.turns.IDLE_SECONDS", 5)
    proxy = Proxy(urlsplit(database.app).netloc.rsplit("@", 1)[1])
    url = database.app.replace(proxy.target, proxy.address)
    through = make_engine(url, app_name="ecm-kit", answer_seconds=2)
    uow = UnitOfWork(through, SystemClock(), RandomIds(), example_region(), EVENTS)
    beside = UnitOfWork(engine, uow.clock, uow.ids, uow.region, EVENTS)
    stranded = settings.model_copy(update={"database_url": SecretStr(url)})

    async def published(count: int) -> bool:
        query = select(func.count()).select_from(outbox).where(outbox.c.published_at.is_not(None))
        async with engine.connect() as connection:
            return (await connection.execute(query)).scalar_one() == count

    async with running(relay(uow, stranded, topic).run):
        await a_child(beside)
        await until(lambda: published(1))
        proxy.strand()
        await a_child(beside)
        await until(lambda: published(2), seconds=90)
        await a_child(uow)
        await until(lambda: published(3))
    await through.dispose()
    proxy.close()
