"""The beats at which answers leave that say nothing."""

import asyncio
import random
import time
from collections.abc import Iterator

import pytest

from ecm.exchange.api.beats import Beats

SECONDS = 0.004


@pytest.fixture
def beats() -> Iterator[Beats]:
    made = Beats(SECONDS)
    yield made
    made.close()


async def test_a_beat_is_counted_from_the_asking(beats: Beats) -> None:
    """However long it took: the beat is the next one, never one that has gone by."""
    draw = random.Random(1)

    async def one() -> tuple[float, float, float]:
        since = time.monotonic() - draw.uniform(0, 10 * SECONDS)
        begun = time.monotonic()
        await beats.after(since)
        return since, begun, time.monotonic()

    late = []
    for since, begun, reached in await asyncio.gather(*(one() for _ in range(200))):
        beat = since + ((begun - since) // SECONDS + 1) * SECONDS
        assert reached >= beat
        late.append(reached - beat)
    assert min(late) < SECONDS, "nobody had to wait for the one after"


async def test_whose_beat_comes_first_leaves_first() -> None:
    beats, now, order = Beats(0.5), time.monotonic(), list[str]()

    async def one(name: str, since: float) -> None:
        await beats.after(since)
        order.append(name)

    await asyncio.gather(one("late", now - 0.1), one("early", now - 0.3))
    assert order == ["early", "late"]
    beats.close()


async def test_nobody_waits_for_beats_that_have_ended() -> None:
    beats = Beats(3_600.0)
    waiting = asyncio.create_task(beats.after(time.monotonic()))
    await asyncio.sleep(0)
    assert not waiting.done()
    beats.close()
    await waiting
    await beats.after(time.monotonic())


async def test_one_that_goes_away_keeps_no_other_waiting(beats: Beats) -> None:
    gone = asyncio.create_task(beats.after(time.monotonic()))
    await asyncio.sleep(0)
    gone.cancel()
    await beats.after(time.monotonic())
    assert gone.done()
