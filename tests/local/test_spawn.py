"""A child that is waited for ends with whoever waits for it."""

import asyncio
from pathlib import Path

import pytest

from ecm.local.process import identify
from ecm.local.spawn import Command, run


async def test_what_is_run_has_ended_once_its_cancellation_has(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"sleep 1000 & echo $! $$ > {ready}.half; mv {ready}.half {ready}; wait"
    running = asyncio.create_task(run(Command(["/bin/sh", "-c", script]), tmp_path / "log"))
    while not ready.exists():  # noqa: ASYNC110 - a file has no event
        await asyncio.sleep(0.02)
    grandchild, child = (identify(int(pid)) for pid in ready.read_text().split())
    assert child is not None
    assert grandchild is not None
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not child.alive()
    assert grandchild.gone_within(10)


async def test_the_status_is_answered(tmp_path: Path) -> None:
    assert await run(Command(["/bin/sh", "-c", "exit 7"]), tmp_path / "log") == 7
