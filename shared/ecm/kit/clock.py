"""Time, injected: rules never read a clock of their own."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The two times that the system goes by."""

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        ...

    def boottime(self) -> float:
        """Seconds since boot, sleep included; for leases and other durations."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def boottime(self) -> float:
        # CLOCK_MONOTONIC stands still while a machine is suspended; a lease must not.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
