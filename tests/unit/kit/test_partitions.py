"""Messages by partition."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ecm.kit.bus.partitions import Handle, Partitions


class Hands:
    """Notes what it is handed; holds a message back until it is let go; sends "again" back, fails with "broken"."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.free = asyncio.Event()
        self.most = 0
        self._now = 0

    async def __call__(self, partition: str, message: str) -> bool:
        self.seen.append((partition, message))
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await self.free.wait()
        finally:
            self._now -= 1
        if message == "broken":
            raise OSError(message)
        return message != "again"


@asynccontextmanager
async def handing(handle: Handle, at_once: int = 2, most: int = 3) -> AsyncIterator[Partitions]:
    partitions = Partitions(handle, at_once, most)
    try:
        yield partitions
    finally:
        await partitions.close(1)


async def rest() -> None:
    """Everything that can go on does."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_each_in_its_order_and_so_many_beside_each_other() -> None:
    hands = Hands()
    async with handing(hands) as partitions:
        for name in "abc":
            partitions.add(name, ["1", "2"])
        await rest()
        assert hands.seen == [("a", "1"), ("b", "1")]
        partitions.add("a", ["3"])
        assert partitions.waiting() == 7
        hands.free.set()
        await rest()
        assert partitions.waiting() == 0
    assert hands.most == 2
    assert [message for name, message in hands.seen if name == "a"] == ["1", "2", "3"]


async def test_behind_one_that_is_sent_back_nothing_is_handled_until_it_comes_again() -> None:
    hands = Hands()
    hands.free.set()
    async with handing(hands) as partitions:
        partitions.add("a", ["1", "again", "3"])
        partitions.add("b", ["1"])
        await rest()
        assert [message for name, message in hands.seen if name == "a"] == ["1", "again"]
        partitions.check()
        partitions.add("a", ["2", "3"])
        await rest()
        assert [message for name, message in hands.seen if name == "a"] == ["1", "again", "2", "3"]


async def test_a_failure_is_found() -> None:
    hands = Hands()
    hands.free.set()
    async with handing(hands) as partitions:
        partitions.add("a", ["broken", "2"])
        await rest()
        with pytest.raises(OSError, match="broken"):
            partitions.add("a", ["3"])


async def test_who_has_much_waiting_is_full_until_some_is_handled() -> None:
    hands = Hands()
    async with handing(hands) as partitions:
        partitions.add("a", ["1", "2", "3"])
        partitions.add("b", ["1"])
        await rest()
        assert partitions.full() == set(), "one of the three is in hand"
        partitions.add("a", ["4"])
        assert partitions.full() == {"a"}
        await asyncio.wait_for(partitions.room(0.05), 1)
        asyncio.get_running_loop().call_later(0.05, hands.free.set)
        await asyncio.wait_for(partitions.room(60), 5)
        await rest()
        assert partitions.full() == set()


async def test_what_stays_in_hand_is_stuck() -> None:
    hands = Hands()
    async with handing(hands) as partitions:
        partitions.add("a", ["1"])
        await asyncio.sleep(0.05)
        assert partitions.stuck(0.01) and not partitions.stuck(60)
        hands.free.set()
        await rest()
        assert not partitions.stuck(0.0)


async def test_what_waits_is_forgotten_at_the_end() -> None:
    hands = Hands()
    async with handing(hands) as partitions:
        partitions.add("a", ["1", "2"])
        await rest()
    hands.free.set()
    await rest()
    assert hands.seen == [("a", "1")]
