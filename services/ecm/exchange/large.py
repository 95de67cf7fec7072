"""Work on large documents, beside the event loop: what others wait for isn't held up by it."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Self, TypeVar

from anyio import BrokenWorkerProcess, CapacityLimiter, to_process
from anyio.from_thread import start_blocking_portal

from ecm.kit.errors import DomainError, Reason
from ecm.kit.telemetry import logger

SMALL_BYTES: Final = 65_536
"""Up to so many it is done at once: a thread would cost more."""
TRIES: Final = 2

T = TypeVar("T")


async def off_the_loop(size: int, work: Callable[..., T], *args: object) -> T:
    """What `work`, which is about so many bytes, makes of `args`; from a thread where they are many.

    A thread takes turns with the loop between calls, never within one: what goes through many bytes goes in pieces.
    """
    return work(*args) if size <= SMALL_BYTES else await asyncio.to_thread(work, *args)


class Worker:
    """A process for work whose single calls would hold the interpreter: one at a time. It begins with the first.

    A thread with the standard library's loop keeps it: that starts programs by `vfork`
    (https://docs.python.org/3/library/subprocess.html), uvloop by `fork`, which runs gRPC's handlers in the child.
    They crash it now and then before it has become another program, where calls are under way.
    """

    def __init__(self) -> None:
        self._one = CapacityLimiter(1)
        self._thread = ExitStack()

    def __enter__(self) -> Self:
        self._portal = self._thread.enter_context(start_blocking_portal(name="worker"))
        return self

    def __exit__(self, *_: object) -> None:
        """The process ends, after the work in hand."""
        self._thread.close()

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """What `work` makes of `args`, by another process; once more where that died of something.

        PEER_UNREACHABLE where it died again.
        """
        for _ in range(TRIES):
            try:
                return await asyncio.wrap_future(self._portal.start_task_soon(self._in_process, work, args))
            except (BrokenWorkerProcess, ProcessLookupError) as error:
                logger().warning("worker.died", error_class=type(error).__name__)
        raise DomainError(Reason.PEER_UNREACHABLE, "What reads large bodies ended twice; try again.")

    async def _in_process(self, work: Callable[..., T], args: tuple[object, ...]) -> T:
        return await to_process.run_sync(work, *args, limiter=self._one)
