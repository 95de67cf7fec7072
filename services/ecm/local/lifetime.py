"""A state's supervisor as a process: started, waited for, ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from ecm.admin.errors import OperatorError
from ecm.admin.files import private_directory
from ecm.local import environment
from ecm.local import state as states
from ecm.local.paths import StatePaths
from ecm.local.state import RunState

START_SECONDS = 300.0
STOP_SECONDS = 40.0

Observer = Callable[[RunState], None]


def launch(paths: StatePaths, detach: bool) -> tuple[subprocess.Popen[bytes], int | None]:
    """Start the supervisor. It holds one end of a pipe: when ours closes, by whatever death, it stops."""
    reading, writing = (None, None) if detach else os.pipe()
    arguments = [sys.executable, "-m", "ecm.local.supervise", str(paths.root)]
    private_directory(paths.logs)
    with paths.log("supervisor").open("ab") as log:
        process = subprocess.Popen(
            [*arguments, *([str(reading)] if reading is not None else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment.python()},
            pass_fds=() if reading is None else (reading,),
            start_new_session=True,
        )
    if reading is not None:
        os.close(reading)
    return process, writing


def end(process: subprocess.Popen[bytes]) -> None:
    """End a supervisor that may not have said yet that it runs."""
    process.terminate()
    process.wait(STOP_SECONDS)


def await_healthy(paths: StatePaths, process: subprocess.Popen[bytes], observer: Observer) -> None:
    """Wait until all its parts are. Raises `OperatorError` with what it says where it failed."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        ended = process.poll() is not None
        now = states.read(paths)
        if now.supervisor is not None and now.supervisor.pid == process.pid:
            observer(now)
            if now.phase == "healthy":
                return
        if ended:
            raise _start_failure(paths, now)
        time.sleep(0.05)
    raise OperatorError(f"Not healthy within {START_SECONDS:g} s.", "Look with ecm status and ecm logs.")


def _start_failure(paths: StatePaths, now: RunState) -> OperatorError:
    if now.phase == "failed":
        return OperatorError(now.message, now.hint)
    return OperatorError("The supervisor ended at once.", f"See {paths.log('supervisor')}.")


def stop(paths: StatePaths) -> bool:
    """End the supervisor of a state; False where none ran. Raises `OperatorError` where it doesn't end."""
    supervisor = states.read(paths).supervisor
    if supervisor is None or not supervisor.identity.send(signal.SIGTERM):
        return False
    if not supervisor.identity.gone_within(STOP_SECONDS):
        raise OperatorError(
            f"The supervisor (pid {supervisor.pid}) doesn't end.", f"Kill it: kill -9 {supervisor.pid}."
        )
    return True
