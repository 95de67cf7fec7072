"""The order of the worker's work: who is slow, or fails, keeps it neither from the others nor for long."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from ecm.exchange.projection.attention import look_at
from ecm.exchange.projection.worker import BATCH, FETCHING_SECONDS, ChildWorker
from ecm.kit.errors import DomainError, Reason
from exchange.inbound.test_projection import opened
from exchange.inbound.world import World, patient_grant
from unit.kit.builders import FakeClock

SLOW = 5.0


class Unfetchable:
    """Of some children no owner answers, and that takes a while; of the others all is as it was."""

    def __init__(self, world: World, clock: FakeClock, seconds: float) -> None:
        self._world = world
        self._clock = clock
        self._seconds = seconds
        self.children: set[UUID] = set()
        self.tried: list[UUID] = []

    async def fetch_child(self, child_id: UUID) -> None:
        if child_id not in self.children:
            return await self._world.projection.fetch_child(child_id)
        self.tried.append(child_id)
        self._clock.advance(self._seconds)
        raise DomainError(Reason.PEER_UNREACHABLE, "Invented.")


async def behind_a_batch(world: World, child: UUID, seconds: float) -> tuple[Unfetchable, Callable[[], Any]]:
    """A batch of children that can't be fetched, `child` asked for after them; and the worker's turn."""
    clock = FakeClock()
    projection = Unfetchable(world, clock, seconds)
    worker = ChildWorker(world.engine, projection, world.reconciliation, clock)  # type: ignore[arg-type]
    async with world.engine.begin() as conn:
        sql = f"INSERT INTO projected_child (child_id) SELECT gen_random_uuid() FROM generate_series(1, {BATCH})"
        made = await conn.exec_driver_sql(sql + " RETURNING child_id")
        projection.children = set(made.scalars())
    await worker._sweep()
    async with world.engine.begin() as conn:
        await look_at(conn, child)

    async def work() -> None:
        async with world.turn() as connection:
            await worker.work(connection)

    return projection, work


async def waits(world: World, child: UUID) -> bool:
    return bool(await world.rows("SELECT 1 FROM fetch_queue WHERE child_id = :child", child=child))


async def test_whose_records_are_here_waits_for_nobody_who_is_slow(world: World) -> None:
    child = await opened(world)
    projection, work = await behind_a_batch(world, child, SLOW)
    await work()
    assert not await waits(world, child)
    assert len(projection.tried) == FETCHING_SECONDS / SLOW
    await work()
    assert len(set(projection.tried)) == len(projection.tried) == 2 * FETCHING_SECONDS / SLOW


async def test_a_batch_that_fails_lets_the_next_pass(world: World) -> None:
    child = await world.child()
    await world.open_region()
    await world.grant(child, patient_grant())
    projection, work = await behind_a_batch(world, child, 0.0)
    await work()
    assert len(projection.tried) == BATCH
    await work()
    assert await world.rows(
        "SELECT 1 FROM projected_child WHERE child_id = :child AND fetched_at > '-infinity'", child=child
    )
