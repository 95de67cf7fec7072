"""What is fetched, by partition: each in its order, none waiting for another."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

Handle = Callable[[Any, Any], Awaitable[bool]]
"""Handles a partition's message; False: what comes after it there isn't to be handled now."""


class Partitions:
    """Hands messages to `handle`: a partition's one after the other, those of `at_once` partitions beside each other.

    A partition has a task as long as it has messages.
    """

    def __init__(self, handle: Handle, at_once: int, most: int) -> None:
        self._handle = handle
        self._places = asyncio.Semaphore(at_once)
        self._most = most
        self._waiting: dict[Any, deque[Any]] = {}
        self._tasks: dict[Any, asyncio.Task[None]] = {}
        self._began: dict[Any, float] = {}
        self._room = asyncio.Event()

    def add(self, partition: Any, messages: Sequence[Any]) -> None:
        """Puts messages behind those that the partition has; raises as `check` does."""
        self.check()
        self._waiting.setdefault(partition, deque()).extend(messages)
        if partition not in self._tasks:
            self._tasks[partition] = asyncio.create_task(self._work(partition))

    def check(self) -> None:
        """Raises what a partition's task ended with, if it didn't end well."""
        for partition, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[partition]
                task.result()

    def full(self) -> set[Any]:
        """Partitions that have `most` messages waiting, or more: they are to get no others yet."""
        return {partition for partition, waiting in self._waiting.items() if len(waiting) >= self._most}

    async def room(self, seconds: float) -> None:
        """Waits until a message was handled, at most so long."""
        self._room.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._room.wait()

    def waiting(self) -> int:
        """How many messages aren't handled yet."""
        return sum(map(len, self._waiting.values())) + len(self._began)

    def stuck(self, seconds: float) -> bool:
        """Whether one message has been in hand for longer."""
        return any(time.monotonic() - began > seconds for began in self._began.values())

    async def close(self, seconds: float) -> None:
        """Ends what is under way, within so long; what waits is forgotten."""
        for waiting in self._waiting.values():
            waiting.clear()
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)

    async def _work(self, partition: Any) -> None:
        waiting = self._waiting[partition]
        try:
            while waiting:
                async with self._places:
                    await self._next(partition, waiting)
        finally:
            if not waiting:
                self._waiting.pop(partition, None)

    async def _next(self, partition: Any, waiting: deque[Any]) -> None:
        self._began[partition] = time.monotonic()
        try:
            if not await self._handle(partition, waiting.popleft()):
                waiting.clear()
        finally:
            del self._began[partition]
            self._room.set()
