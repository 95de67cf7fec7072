"""Bounds round the calls of aiokafka, which may swallow a cancellation, or leak one that nobody asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ecm.kit.telemetry import logger


class CancelledInsideError(Exception):
    """A client of Kafka cancelled a task of its own, and its CancelledError came out at us."""


@contextmanager
def own_cancellations_only() -> Iterator[None]:
    """Turns a CancelledError that isn't our task's into CancelledInsideError: else it would end the task in silence."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise CancelledInsideError from error


async def bounded(stop: Callable[[], Awaitable[Any]], seconds: float, what: str) -> None:
    """Stops a client within `seconds`. One that doesn't stop is abandoned, and said so in the log; never raises."""
    stopping = asyncio.ensure_future(_call(stop))
    # Not `asyncio.timeout`: it waits until the cancellation that it sends is obeyed.
    done, _ = await asyncio.wait({stopping}, timeout=seconds)
    if not done:
        stopping.cancel()
        logger(part=what, seconds=seconds).warning("kafka.stop_abandoned")
    elif stopping.cancelled() or stopping.exception() is not None:
        logger(part=what).warning("kafka.stop_failed", exc_info=None if stopping.cancelled() else stopping.exception())


async def _call(stop: Callable[[], Awaitable[Any]]) -> None:
    await stop()
