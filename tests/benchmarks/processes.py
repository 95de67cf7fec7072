"""Servers as child processes, and what they and the database cost."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil


class Serving:
    """`serve.py` with an application; ended with the block."""

    def __init__(self, which: str, url: str) -> None:
        command = [sys.executable, str(Path(__file__).parent / "serve.py"), which, url]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._told = self._next()

    @property
    def port(self) -> int:
        return int(self._told["port"])

    def token(self) -> str:
        """A new one: a partner's lives five minutes."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        self._told = self._next()
        return str(self._told["token"])

    def cpu(self) -> float:
        """Seconds of CPU until now."""
        return _cpu(psutil.Process(self._process.pid))

    def memory(self) -> dict[str, float]:
        """Megabytes: `pss_mb` where the system tells it (Linux), `rss_mb` always."""
        found = psutil.Process(self._process.pid).memory_full_info()
        told = {"rss_mb": found.rss / 1e6}
        return told | {"pss_mb": found.pss / 1e6} if hasattr(found, "pss") else told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _next(self) -> dict[str, object]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("A server of the benchmark didn't start; see above.")
        return dict(json.loads(line))


def database_cpu(postmaster: int) -> float:
    """Seconds of CPU of PostgreSQL until now: all of its processes, those that ended, too."""
    process = psutil.Process(postmaster)
    times = process.cpu_times()
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return _cpu(process) + ended + sum(_cpu(child) for child in process.children())


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
