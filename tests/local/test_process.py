"""A process is known by pid and start: a reused pid or a zombie is never taken for it."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ecm.local.process import Identity, identify


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_a_zombie_does_not_live(sleeper: subprocess.Popen[bytes]) -> None:
    identity = identify(sleeper.pid)
    assert identity is not None
    assert identity.alive()
    sleeper.kill()
    assert identity.gone_within(5)  # nobody has waited for it: it is a zombie now
    assert identify(sleeper.pid) is None


def test_a_stranger_with_the_same_pid_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    stale = Identity(sleeper.pid, "another start")
    assert not stale.send(signal.SIGKILL)
    assert sleeper.poll() is None


def test_nothing_has_the_pid_of_the_dead() -> None:
    assert identify(2**22 + 1) is None
