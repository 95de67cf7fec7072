"""A demo whose terminal is closed ends like one that is interrupted: nothing of it stays."""

import os
import pty
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil


def test_a_closed_terminal_leaves_nothing(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TMPDIR"] = str(tmp_path)
        os.execv(sys.executable, [sys.executable, "-c", "from ecm.cli import main; main()", "demo"])
    # Something is shown once there is a state.
    while not list(tmp_path.glob("ecm-demo-*/state.json")):
        os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    assert list(tmp_path.glob("ecm-demo-*")) == []
    assert _running(str(tmp_path)) == []


def _running(state: str, seconds: float = 10.0) -> list[str]:
    """Command lines that name the state, once everything that was told to end has had its time."""
    until = time.monotonic() + seconds
    while True:
        found = [line for line in _command_lines() if state in line]
        if time.monotonic() > until or not found:
            return found
        time.sleep(0.2)


def _command_lines() -> Iterator[str]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            yield " ".join(process.cmdline())
