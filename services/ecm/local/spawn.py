"""Starting a child that dies with the supervisor, in a session of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ecm.local.account import Account

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Command:
    """A program: what it is called with, as whom, and which signal ends it cleanly."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    handles: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM


async def start(command: Command, log: Path) -> Process:
    """Start it with its output appended to `log`.

    Call it from the main thread: the death signal follows the thread that started the child.
    """
    uid, gid = (command.account.uid, command.account.gid) if command.account else (-1, -1)
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(command.stop_signal))]
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *launcher,
            str(uid),
            str(gid),
            *command.arguments,
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **command.environment},
            pass_fds=tuple(command.handles),
            # In the terminal's session a Ctrl-C would reach the parts before the supervisor stops them in order.
            start_new_session=True,
            cwd="/" if command.account else None,
        )


async def run(command: Command, log: Path) -> int:
    """Start it, wait for its end, answer its exit status. Cancelled, it has ended when this has: it writes no more."""
    process = await start(command, log)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            # Its session is its own: whatever it started goes with it.
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
