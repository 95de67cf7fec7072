"""Statements past SQLAlchemy: of the same transaction, with the same outcome, and never waiting for who is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.conftest import Database
from contract.kit.test_bus import until
from ecm.kit.db.direct import Direct
from ecm.kit.db.engine import make_engine
from ecm.kit.db.failures import is_transient
from ecm.kit.db.tables import inbox
from faulting.proxy import Proxy

NOTE = Direct(insert(inbox))
NOTED = Direct(select(inbox.c.event_id).where(inbox.c.consumer == bindparam("consumer")).order_by(inbox.c.event_id))
SELECT = Direct("SELECT CAST(:value AS text) AS value, txid_current_if_assigned() AS transaction")


def a_note() -> dict[str, object]:
    return {"consumer": "direct", "event_id": str(uuid4()), "received_at": datetime.now(UTC)}


async def test_it_belongs_to_the_transaction_that_it_stands_in(engine: AsyncEngine) -> None:
    kept, dropped = [a_note(), a_note()], [a_note(), a_note()]
    async with engine.begin() as conn:
        assert [await NOTE.run(conn, note) for note in kept] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        async with engine.begin() as conn:
            for note in dropped:
                await NOTE.run(conn, note)
            assert len(await NOTED.all(conn, {"consumer": "direct"})) == 4
            raise ZeroDivisionError
    async with engine.begin() as conn:
        rows = await NOTED.all(conn, {"consumer": "direct"})
        again = await NOTED.all(conn, {"consumer": "direct"})
    assert [row.event_id for row in rows] == [row.event_id for row in again] == sorted(str(n["event_id"]) for n in kept)


async def test_alone_it_needs_no_transaction(engine: AsyncEngine) -> None:
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as conn:
        await NOTE.run(conn, a_note())
        row = await SELECT.first(conn, {"value": "x"})
    assert (row.value, row.transaction) == ("x", None)
    async with engine.connect() as conn:
        assert (await conn.execute(select(func.count()).select_from(inbox))).scalar_one() == 1


@asynccontextmanager
async def held(database: Database, **more: float) -> AsyncIterator[tuple[AsyncEngine, Proxy]]:
    """One connection, whose link a test holds."""
    proxy = Proxy(urlsplit(database.app).netloc.rsplit("@", 1)[1])
    made = make_engine(database.app.replace(proxy.target, proxy.address), pool_size=1, app_name="held", **more)
    try:
        yield made, proxy
    finally:
        proxy.close()
        await made.dispose()


async def answers(engine: AsyncEngine) -> bool:
    async with engine.begin() as conn:
        row = await SELECT.first(conn, {"value": "begun"})
        return (await SELECT.first(conn, {"value": "again"})).value != row.value


async def test_who_isnt_answered_waits_no_longer(database: Database) -> None:
    """Not as long again, for the rollback."""
    async with held(database, answer_seconds=2) as (engine, proxy):
        async with asyncio.timeout(3):
            with pytest.raises(Exception) as raised:
                async with engine.begin() as conn:
                    await SELECT.first(conn, {"value": "begun"})
                    proxy.hold()
                    await SELECT.first(conn, {"value": "held"})
        assert is_transient(raised.value)
        proxy.release()
        assert await answers(engine)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "AUTOCOMMIT"])
@pytest.mark.parametrize("holding", [False, True])
async def test_who_is_cancelled_ends_as_cancelled(
    database: Database, engine: AsyncEngine, isolation: str, holding: bool
) -> None:
    """Soon, whether the server hears of it or not; where it does, it ends the statement."""
    asleep = Direct("SELECT 1 FROM pg_stat_activity WHERE application_name = 'held' AND wait_event = 'PgSleep'")

    async def sleep(through: AsyncEngine) -> None:
        async with through.execution_options(isolation_level=isolation).begin() as conn:
            await SELECT.first(conn, {"value": "begun"})
            await Direct("SELECT pg_sleep(4), :value").run(conn, {"value": "x"})

    async def is_asleep() -> bool:
        async with engine.connect() as conn:
            return bool(await asleep.all(conn, {}))

    async def is_awake() -> bool:
        return not await is_asleep()

    async with held(database) as (through, proxy):
        sleeping = asyncio.create_task(sleep(through))
        await until(is_asleep)
        if holding:
            proxy.hold()
        sleeping.cancel()
        async with asyncio.timeout(3):
            await asyncio.wait([sleeping])
        assert sleeping.cancelled()
        if holding:
            proxy.release()
        else:
            await until(is_awake, seconds=2)
        assert await answers(through)
