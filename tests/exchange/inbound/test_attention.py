"""What is looked at: of a change its record alone, and all of the child wherever that could miss something."""

from uuid import UUID, uuid4

from ecm.exchange.mapping.ids import record_ids
from ecm.exchange.projection.attention import MOST_RECORDS, look_at
from exchange.inbound.test_projection import opened
from exchange.inbound.world import World, child_content


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
