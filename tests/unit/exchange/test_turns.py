"""The writers' queue."""

import asyncio

import pytest

from ecm.exchange.audit.turns import Turns


async def test_what_is_ready_keeps_its_order() -> None:
    turns: Turns[int] = Turns()
    for one in range(3):
        turns.give(one)
    assert [await turns.take() for _ in range(3)] == [0, 1, 2]


async def test_whoever_came_last_serves_first() -> None:
    turns: Turns[int] = Turns()
    first = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    last = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.give(1)
    assert await last == 1
    assert not first.done()
    turns.give(2)
    assert await first == 2


async def test_nothing_is_handed_to_a_taker_that_is_gone() -> None:
    turns: Turns[int] = Turns()
    gone = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    turns.give(1)
    assert await turns.take() == 1


async def test_what_a_cancelled_taker_was_handed_goes_to_another() -> None:
    turns: Turns[int] = Turns()
    gone = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.give(1)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await turns.take() == 1
