"""`ecm up`: starts every part in order, keeps them running, ends them in reverse."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ecm.admin import agreements, credentials
from ecm.admin.errors import OperatorError
from ecm.admin.files import private_directory, tail
from ecm.kit.names import SERVICES
from ecm.local import binaries, environment, parts, ports, state
from ecm.local.paths import StatePaths
from ecm.local.plan import Plan
from ecm.local.process import myself
from ecm.local.spawn import Command, run
from ecm.local.stack import Stack
from ecm.local.state import Board, PartState, Running, RunState
from ecm.local.watch import Watch

ORPHAN_SECONDS = 10.0
LARGEST_LOG = 16 * 1024 * 1024


class Supervisor:
    """Runs one state's plan. One per state: it holds the state's lock."""

    def __init__(self, paths: StatePaths, plan: Plan, observer: Callable[[RunState], None] = lambda _: None) -> None:
        self._paths = paths
        self._plan = plan
        self._board = Board(paths, observer)
        self._watches: list[Watch] = []
        self._stop = asyncio.Event()

    async def run(self, lifeline: int | None = None) -> None:
        """Serve until a signal, or until `lifeline` (the reading end of a pipe) reaches its end.

        Raises `OperatorError` where a part can't be started; everything is stopped then.
        """
        with only_one(self._paths):
            self._listen(lifeline)
            end_orphans(self._paths)
            try:
                await self._serve()
            except OperatorError as error:
                await self._stop_all()
                self._board.enter("failed", error.message, error.hint)
                raise
            await self._stop_all()
            self._board.enter("stopped")

    async def _serve(self) -> None:
        starting = asyncio.create_task(self._start_all())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopped
        finally:
            for task in (starting, stopped):
                task.cancel()
            await asyncio.gather(starting, stopped, return_exceptions=True)

    async def _start_all(self) -> None:
        self._prepare()
        infrastructure = parts.infrastructure(self._plan)
        # They don't need each other, so they start side by side; migrations need PostgreSQL alone.
        started = {name: asyncio.create_task(self._start(name)) for name in infrastructure}
        try:
            if "postgres" in started:
                await started["postgres"]
                await self._migrate(self._plan.services)
            await asyncio.gather(*started.values())
        finally:
            for task in started.values():
                task.cancel()
        await asyncio.gather(*(self._start(name) for name in self._plan.services))
        if set(SERVICES) <= set(self._plan.services):
            await agreements.seed_region(Stack(self._paths, self._plan))
        self._board.enter("healthy")

    def _prepare(self) -> None:
        for folder in (self._paths.logs, self._paths.issuer, self._paths.checkpoints):
            private_directory(folder)
        me = myself()
        self._board.state.supervisor = Running(pid=me.pid, started=me.started)
        for name in self._plan.parts:
            _shorten(self._paths, name)
            self._board.state.parts[name] = PartState(address=self._plan.address(name))
        self._board.enter("starting")
        region = self._plan.load_region()
        credentials.ensure(self._paths, [client.id for client in region.clients])
        ports.require_free(self._plan.ports, self._plan.parts)

    async def _start(self, name: str) -> None:
        watch = Watch(parts.build(self._paths, self._plan, name), self._board, self._paths)
        self._watches.append(watch)
        await watch.healthy()

    async def _migrate(self, services: Sequence[str]) -> None:
        if not services:
            return
        log = self._paths.log("migrations")
        arguments = [sys.executable, "-m", "ecm.local.migrate", str(self._paths.root), *services]
        if await run(Command(arguments, environment.python()), log) != 0:
            words = "\n  ".join(tail(log, 6))
            message = f"A migration failed. The end of its log:\n  {words}"
            raise OperatorError(message, "See all of it: ecm logs migrations.")

    async def _stop_all(self) -> None:
        if self._board.state.phase != "failed":
            self._board.enter("stopping")
        infrastructure = len(parts.infrastructure(self._plan))
        services, base = self._watches[infrastructure:], self._watches[:infrastructure]
        # Services first: they still want to commit, publish and log in while they drain.
        for group in (services, base):
            await asyncio.gather(*(watch.stop() for watch in group))
        binaries.remove_copy(self._paths.root / "postgres-binaries.json")

    def _listen(self, lifeline: int | None) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(signum, self._stop.set)
        if lifeline is not None:
            loop.add_reader(lifeline, self._lifeline_moved, lifeline)

    def _lifeline_moved(self, lifeline: int) -> None:
        if not os.read(lifeline, 1):
            asyncio.get_running_loop().remove_reader(lifeline)
            self._stop.set()


@contextmanager
def only_one(paths: StatePaths) -> Iterator[None]:
    """Hold the state's lock. Raises `OperatorError` where another supervisor does."""
    private_directory(paths.root)
    with paths.lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperatorError(
                f"{paths.root} is served already.", "Look with ecm status, or end it with ecm down."
            ) from None
        yield


def end_orphans(paths: StatePaths) -> None:
    """End what a killed supervisor left: its parts got their signal when it died, so first wait for them."""
    left = [part.process.identity for part in state.read(paths).parts.values() if part.process is not None]
    for orphan in left:
        if not orphan.gone_within(ORPHAN_SECONDS):
            orphan.send(signal.SIGKILL)
            orphan.gone_within(ORPHAN_SECONDS)


def _shorten(paths: StatePaths, name: str) -> None:
    """Put a long log aside, one generation of it."""
    log = paths.log(name)
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
