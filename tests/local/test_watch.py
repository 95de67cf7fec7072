"""One part's watch: a part that dies at the worst moment is started again."""

import asyncio
import signal
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

from ecm.local.parts import Report
from ecm.local.paths import StatePaths
from ecm.local.state import Board, RunState
from ecm.local.watch import Watch


class Unsettled:
    """A part that dies while it is brought to what the region says, the `fails`-th time."""

    name = "kafka"
    stop_signal = signal.SIGTERM

    def __init__(self, fails: int) -> None:
        self.fails = fails
        self.settled = 0
        self.processes: list[Process] = []

    async def start(self, report: Report) -> Process:
        process = await asyncio.create_subprocess_exec("sleep", "60", stdout=DEVNULL)
        self.processes.append(process)
        return process

    async def ready(self) -> bool:
        return True

    async def settle(self) -> None:
        self.settled += 1
        if self.settled == self.fails:
            self.processes[-1].kill()
            raise ConnectionResetError("the broker is gone")


async def healthy_after(part: Unsettled, processes: int, folder: Path) -> bool:
    """Whether it is healthy with its so manieth process."""
    changed = asyncio.Event()

    def observe(state: RunState) -> None:
        if len(part.processes) == processes and state.parts[part.name].phase == "healthy":
            changed.set()

    watch = Watch(part, Board(StatePaths(folder), observe), StatePaths(folder))
    try:
        await asyncio.wait_for(watch.healthy(), 20)
        if len(part.processes) < processes:
            part.processes[-1].kill()
        await asyncio.wait_for(changed.wait(), 20)
    finally:
        await watch.stop()
    return all(process.returncode is not None for process in part.processes)


async def test_a_part_that_dies_while_it_is_settled_is_started_again(tmp_path: Path) -> None:
    assert await healthy_after(Unsettled(fails=2), 3, tmp_path), "and each of its processes has ended"


async def test_one_that_dies_so_at_its_first_start_is_started_again(tmp_path: Path) -> None:
    assert await healthy_after(Unsettled(fails=1), 2, tmp_path)
