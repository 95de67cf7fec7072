"""Work beside a server, for as long as it serves; where it fails the process ends, and its supervisor restarts it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from ecm.kit.bus.bounds import own_cancellations_only
from ecm.kit.telemetry import logger

STOP_SECONDS = 5.0


async def beside(
    stack: AsyncExitStack,
    name: str,
    work: Coroutine[Any, Any, None],
    *,
    last: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Runs `work` until the stack unwinds, and then `last`. A worker that ended in silence would never be missed."""
    task = asyncio.create_task(_to_the_end(name, work), name=name)

    async def stop() -> None:
        task.cancel()
        await asyncio.wait([task], timeout=STOP_SECONDS)
        if last is not None:
            await last()

    stack.push_async_callback(stop)


async def _to_the_end(name: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        with own_cancellations_only():
            await work
    except Exception as error:
        logger(part=name).error("part.failed", exc_info=error)
        raise SystemExit(1) from error
