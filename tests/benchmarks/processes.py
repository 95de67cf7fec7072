"""What processes cost: CPU, and memory as PSS, which counts what they share once."""

import psutil


class Tree:
    """A process and all that it started."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)

    def cpu(self) -> float:
        """Seconds of CPU until now, of those that ended, too."""
        return sum(_cpu(process) for process in self._all())

    def memory(self) -> float:
        """Megabytes: PSS where the system tells it (Linux), else the unique set."""
        return sum(_memory(process) for process in self._all()) / 1e6

    def _all(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)


def _memory(process: psutil.Process) -> float:
    try:
        found = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0.0
    return float(getattr(found, "pss", found.uss))
