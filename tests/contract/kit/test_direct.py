"""Statements past SQLAlchemy: of the same transaction, with the same outcome, and never waiting for who is gone."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.conftest import Database
from ecm.kit.db.direct import Direct
from ecm.kit.db.engine import make_engine
from ecm.kit.db.failures import is_transient
from ecm.kit.db.tables import inbox

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


async def test_who_isnt_answered_waits_no_longer(database: Database) -> None:
    engine = make_engine(database.app, pool_size=1, app_name="ecm-kit", answer_seconds=0.5)
    sleep = Direct("SELECT pg_sleep(5), :value")
    try:
        async with asyncio.timeout(4):
            with pytest.raises(Exception) as raised:
                async with engine.begin() as conn:
                    await SELECT.first(conn, {"value": "begun"})
                    await sleep.run(conn, {"value": "x"})
            async with engine.begin() as conn:
                assert (await SELECT.first(conn, {"value": "again"})).value == "again"
    finally:
        await engine.dispose()
    assert is_transient(raised.value)
