"""Which process is meant: a pid alone is not enough, since pids are used again."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

DEAD_STATES = frozenset({"Z", "X"})


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for good: its pid and when it started (`started` is opaque, unique within a boot)."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether this very process runs. A zombie doesn't."""
        return started_at(self.pid) == self.started

    def send(self, signum: signal.Signals) -> bool:
        """Send a signal; False where the process is gone. Never hits a stranger with the same pid."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, signum)
        except ProcessLookupError:
            return False
        return True

    def gone_within(self, seconds: float) -> bool:
        """Wait for its end, at most `seconds`."""
        until = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def identify(pid: int) -> Identity | None:
    """The process that has `pid` now, or None where none runs."""
    started = started_at(pid)
    return Identity(pid, started) if started is not None else None


def myself() -> Identity:
    """This process."""
    found = identify(os.getpid())
    assert found is not None, "a process that runs can be identified"
    return found


def started_at(pid: int) -> str | None:
    """When the process with this pid started, or None where it is dead, a zombie or unknown."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _started_at_elsewhere(pid)
    try:
        # The second field is the command in brackets and may hold blanks: count from the last bracket.
        fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in DEAD_STATES else f"{_boot()}/{fields[19]}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    except OSError:
        return "boot"


def _started_at_elsewhere(pid: int) -> str | None:
    """The same where there is no /proc (macOS)."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


def memory_bytes(pid: int) -> int:
    """Memory of a process and its children, in bytes, what they share counted once; 0 where it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(_share(member) for member in family)
    except psutil.Error:
        return 0


def _share(process: psutil.Process) -> int:
    """Proportional set size where the system knows it, else resident size."""
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))
