"""What is looked at: of a change its record alone, and all of the child wherever that could miss something."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange.locks import lock_agencies
from ecm.exchange.mapping.ids import record_ids
from ecm.exchange.projection.attention import MOST_RECORDS, look_at, look_at_agencies, look_at_all, look_at_times
from exchange.inbound.test_projection import opened
from exchange.inbound.world import PSYCHOLOGY, World, child_content, patient_grant

ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


async def waiting(world: World) -> list[list[UUID] | None]:
    return [row.records for row in await world.rows("SELECT records FROM fetch_queue")]


async def settled(world: World) -> UUID:
    """A child of whom all is told: what the first fetch brought was looked at again."""
    child = await opened(world)
    await world.look()
    return child


async def queue(world: World, child: UUID, *records: UUID) -> None:
    async with world.engine.begin() as conn:
        await look_at(conn, child, records or None)


async def test_of_a_change_its_record_alone_is_looked_at(world: World) -> None:
    child = await settled(world)
    before = len(await world.events())
    async with world.engine.begin() as conn:
        await conn.exec_driver_sql("UPDATE told SET version_id = 'as if it had changed' WHERE type <> 'Patient'")
    await world.owners.put("referrals", "CHILD", child, child_content(family_name="Otherson"), child)
    await world.project(child)
    [records] = await waiting(world)
    assert set(records or ()) >= set(record_ids(child))
    await queue(world, child, *record_ids(uuid4()))
    await world.look()
    told = (await world.events())[before:]
    assert [kind for kind, _ in told] == ["changed"]
    assert await waiting(world) == []

    await queue(world, child)
    await world.look()
    assert len((await world.events())[before:]) > len(told)


async def test_where_something_went_all_of_the_child_is_looked_at(world: World) -> None:
    await settled(world)
    before = len(await world.events())
    case = next(record for record, held in world.owners.held.items() if held.kind == "CASE")
    await world.owners.close(case)
    await world.project(case)
    assert await waiting(world) == [None]
    await world.look()
    assert {kind for kind, _ in (await world.events())[before:]} == {"unavailable"}


async def test_all_of_a_child_stays_all(world: World) -> None:
    child = await settled(world)
    await queue(world, child)
    await queue(world, child, uuid4())
    assert await waiting(world) == [None]
    await world.look()
    await queue(world, child, *(uuid4() for _ in range(MOST_RECORDS)))
    [records] = await waiting(world)
    assert len(records or ()) == MOST_RECORDS
    await queue(world, child, uuid4())
    assert await waiting(world) == [None]


async def until_one_waits(world: World) -> None:
    """Somebody in this database waits for another's lock."""
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(5):
        while True:
            if await world.rows(waits):
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "again",
    [
        look_at,
        lambda conn, child: look_at_agencies(conn, [PSYCHOLOGY]),
        lambda conn, child: look_at_times(conn, *ALWAYS),
        lambda conn, child: look_at_all(conn),
    ],
    ids=["child", "agencies", "times", "all"],
)
async def test_who_waited_to_ask_isnt_taken_for_who_asked_first(
    world: World, again: Callable[[AsyncConnection, UUID], Awaitable[None]]
) -> None:
    """It began to ask before the other had asked, and commits while the worker looks at what the other asked for."""
    child = await settled(world)
    async with world.engine.connect() as late, world.engine.connect() as first:
        await look_at(first, child)
        asking = asyncio.create_task(again(late, child))
        await until_one_waits(world)
        await look_at(first, child)
        await first.commit()
        await asking
        looking = asyncio.create_task(world.look())
        await until_one_waits(world)
        await late.commit()
        await looking
    assert await waiting(world) == [None]


@pytest.mark.parametrize("changed", ["blocked = true", "topic = false", "purpose = 'another'"])
async def test_a_topic_is_told_by_the_client_as_it_is_once_its_lock_is_held(world: World, changed: str) -> None:
    child = await world.child()
    await world.open_region()
    await world.grant(child, patient_grant())
    async with world.engine.begin() as region:
        await lock_agencies(region, [PSYCHOLOGY])
        looking = asyncio.create_task(world.look())
        await until_one_waits(world)
        await region.execute(text(f"UPDATE client SET {changed} WHERE client_id = '{PSYCHOLOGY}'"))
    await looking
    assert await world.events() == []
