"""One part's life: started, watched, restarted with back-off, ended."""

import asyncio
import time
from asyncio.subprocess import Process

from ecm.admin.errors import OperatorError
from ecm.admin.files import tail
from ecm.local.parts import Part
from ecm.local.paths import StatePaths
from ecm.local.process import identify
from ecm.local.state import Board

POLL_SECONDS = 0.1
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
FIRST_TRIES = 5
SHORTEST_BACKOFF, LONGEST_BACKOFF = 0.25, 10.0
STEADY_SECONDS = 30.0


class Watch:
    """Keeps one part running until it is stopped."""

    def __init__(self, part: Part, board: Board, paths: StatePaths) -> None:
        self._part = part
        self._board = board
        self._paths = paths
        self._backoff = SHORTEST_BACKOFF
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def healthy(self) -> None:
        """Start it and wait until it is healthy for the first time. Raises `OperatorError` where it won't be."""
        self._task = asyncio.create_task(self._keep(), name=f"watch-{self._part.name}")
        await asyncio.shield(self._first)

    async def stop(self) -> None:
        """End it: its own signal first, SIGKILL after `STOP_SECONDS`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if not self._first.done():
            self._first.cancel()
        self._board.part(self._part.name, "stopped")

    async def _keep(self) -> None:
        tries = 0
        while True:
            tries += 1
            try:
                why = await self._once()
            except OperatorError as error:
                if not self._first.done():
                    self._first.set_exception(error)
                    return
                why = str(error)
            except Exception as error:
                # It died while it was brought to what the region says: whatever that raises, it is started again.
                why = f"not made ready: {type(error).__name__}"
            if not self._first.done() and tries >= FIRST_TRIES:
                self._first.set_exception(self._never_healthy(why))
                return
            self._board.restarted(self._part.name)
            self._board.part(self._part.name, "restarting", why)
            await asyncio.sleep(self._backoff)
            self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)

    async def _once(self) -> str:
        """One process from start to end; answers why it ended."""
        name = self._part.name
        self._board.part(name, "preparing")
        process = await self._part.start(lambda message: self._board.part(name, "preparing", message))
        self._board.process(name, identify(process.pid))
        self._board.part(name, "starting")
        try:
            if await self._becomes_ready(process):
                await self._part.settle()
                await self._serve(process)
            return await self._ended(process)
        finally:
            await self._end(process)
            self._board.process(name, None)

    async def _becomes_ready(self, process: Process) -> bool:
        until = time.monotonic() + READY_SECONDS
        while process.returncode is None and time.monotonic() < until:
            if await self._part.ready():
                return process.returncode is None
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _serve(self, process: Process) -> None:
        self._board.part(self._part.name, "healthy")
        if not self._first.done():
            self._first.set_result(None)
        since = time.monotonic()
        await process.wait()
        if time.monotonic() - since > STEADY_SECONDS:
            self._backoff = SHORTEST_BACKOFF

    async def _ended(self, process: Process) -> str:
        if process.returncode is None:
            return f"not healthy within {READY_SECONDS:g} s"
        code = process.returncode
        return f"killed by signal {-code}" if code < 0 else f"ended with status {code}"

    async def _end(self, process: Process) -> None:
        if process.returncode is not None:
            return
        process.send_signal(self._part.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _never_healthy(self, why: str) -> OperatorError:
        words = "\n  ".join(tail(self._paths.log(self._part.name), 8))
        return OperatorError(
            f"{self._part.name} doesn't start: {why}. The end of its log:\n  {words}",
            f"See all of it: ecm logs {self._part.name}.",
        )
