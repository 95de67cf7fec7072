"""Notices that a consumer makes no progress, even where the event loop itself stands still."""

import os
import threading
import time
from collections.abc import Callable

from ecm.kit.telemetry import logger

STUCK_SECONDS = 30.0
TICK_SECONDS = 1.0
EXIT_STATUS = 75
"""EX_TEMPFAIL of sysexits.h: start me again."""


def leave_process() -> None:
    """Ends the process at once: what is stuck can't be trusted to unwind, and all effects are in transactions."""
    os._exit(EXIT_STATUS)


class Watchdog:
    """A thread that calls `on_stuck` once nobody has reported progress for `seconds`.

    Time in which the whole process stood still (suspended, SIGSTOP) isn't counted.
    """

    def __init__(
        self, name: str, on_stuck: Callable[[], None] = leave_process, *, seconds: float = STUCK_SECONDS
    ) -> None:
        self._name = name
        self._on_stuck = on_stuck
        self._seconds = seconds
        self._tick = min(TICK_SECONDS, seconds / 10)
        self._progress_at = time.monotonic()
        self._ended = threading.Event()

    def progress(self) -> None:
        """Something was done, or there was nothing to do."""
        self._progress_at = time.monotonic()

    def start(self) -> None:
        """Begins to watch."""
        self.progress()
        threading.Thread(target=self._watch, name=f"watchdog {self._name}", daemon=True).start()

    def stop(self) -> None:
        """Ends watching."""
        self._ended.set()

    def _watch(self) -> None:
        seen = time.monotonic()
        while not self._ended.wait(self._tick):
            now = time.monotonic()
            if now - seen > self._tick + 2 * TICK_SECONDS:
                self.progress()
            seen = now
            if now - self._progress_at > self._seconds:
                logger(consumer=self._name, seconds=round(now - self._progress_at)).error("consumer.stuck")
                self._on_stuck()
                return
