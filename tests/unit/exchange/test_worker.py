"""The process that reads large bodies: it may die, and none of it is a fault of what is asked."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from ecm.exchange.large import Worker
from ecm.kit.errors import DomainError, Reason


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker() as running:
        yield running


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(died: Path) -> str:
    if not died.exists():
        died.touch()
        die()
    return "done"


def test_one_process_for_one_work_after_the_other(worker: Worker) -> None:
    async def twice() -> set[int]:
        return {await worker.run(os.getpid), await worker.run(os.getpid)}

    (pid,) = uvloop.run(twice())
    assert pid != os.getpid()


def test_it_begins_without_fork(worker: Worker) -> None:
    forks: list[int] = []
    os.register_at_fork(before=lambda: forks.append(os.getpid()))
    assert uvloop.run(worker.run(os.getpid)) != os.getpid()
    assert not forks


def test_what_it_raises_is_raised(worker: Worker) -> None:
    with pytest.raises(ValueError, match="'x'"):
        uvloop.run(worker.run(int, "x"))


def test_killed_between_two_it_begins_anew(worker: Worker) -> None:
    async def kill_between() -> tuple[int, int]:
        first = await worker.run(os.getpid)
        os.kill(first, signal.SIGKILL)
        return first, await worker.run(os.getpid)

    first, second = uvloop.run(kill_between())
    assert first != second


def test_killed_at_work_it_does_it_once_more(worker: Worker, tmp_path: Path) -> None:
    assert uvloop.run(worker.run(die_once, tmp_path / "died")) == "done"


def test_killed_twice_it_asks_to_try_again_and_then_works(worker: Worker) -> None:
    with pytest.raises(DomainError) as refused:
        uvloop.run(worker.run(die))
    assert refused.value.reason is Reason.PEER_UNREACHABLE
    assert uvloop.run(worker.run(int, "7")) == 7


def test_it_ends_with_its_owner() -> None:
    with Worker() as ending:
        pid = uvloop.run(ending.run(os.getpid))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
