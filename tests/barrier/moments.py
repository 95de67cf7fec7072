"""The one clock of a run: boot time of this machine, which no step of a wall clock moves."""

import time


def boot() -> float:
    """Seconds since boot."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
