"""When an answer leaves that may say nothing: at a beat counted from when its work began, whatever that took.

To find that something is denied, or was withdrawn, takes some µs longer than that it never existed (decision 20); who
measures answers often enough would see it. The loop's own timers go by whole milliseconds from when they are set, and
so would tell the rest; a thread's waits end at an instant.
"""

import asyncio
import heapq
import threading
import time
from contextlib import suppress
from itertools import count
from math import floor
from typing import Final

BEAT_SECONDS: Final = 0.01

_Waiting = tuple[float, int, asyncio.AbstractEventLoop, asyncio.Event]


class Beats:
    """The thread that keeps them."""

    def __init__(self, seconds: float = BEAT_SECONDS) -> None:
        self._seconds = seconds
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        self._numbers = count()
        self._ended = False
        self._thread: threading.Thread | None = None

    async def after(self, since: float) -> None:
        """Waits for the next beat of those counted from `since` (`time.monotonic()`, seconds)."""
        due = since + (floor((time.monotonic() - since) / self._seconds) + 1) * self._seconds
        reached = asyncio.Event()
        with self._changed:
            if self._ended:
                return
            self._start()
            number = next(self._numbers)
            heapq.heappush(self._waiting, (due, number, asyncio.get_running_loop(), reached))
            if self._waiting[0][1] == number:
                self._changed.notify()
        await reached.wait()

    def close(self) -> None:
        """Nothing waits any more."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="beats", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        with self._changed:
            while not self._ended:
                rest = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if rest is None or rest > 0:
                    self._changed.wait(rest)
                else:
                    self._reached()
            while self._waiting:
                self._reached()

    def _reached(self) -> None:
        _, _, loop, reached = heapq.heappop(self._waiting)
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(reached.set)
