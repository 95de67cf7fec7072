"""What a run wrote down: answers seen, narrowings answered ENFORCED, times in which a process stood still."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from barrier.moments import boot
from barrier.opened import Opened

Version = tuple[str, str, str]
"""(type, id, version id) of a resource in an answer."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer. Times are boot time, just before the request was sent and after the last byte came."""

    route: str
    client: str
    worker: str
    sent: float
    received: float
    status: int
    versions: tuple[Version, ...] = ()


@dataclass(slots=True)
class Closed:
    """From A on an agency may see `opened` of the child at most (nothing of any, where `child` is empty).

    Until just before the next widening is sent.
    """

    kind: str
    agency: str
    child: str
    since: float
    opened: Opened
    by_time: bool = False
    until: float = NEVER

    def covers(self, seen: Seen) -> bool:
        """Whether the whole of the request falls into it."""
        return seen.client == self.agency and self.since < seen.sent and seen.received < self.until


@dataclass(frozen=True, slots=True)
class Stood:
    """A process stood still (SIGSTOP) from, until."""

    process: str
    since: float
    until: float


@dataclass(slots=True)
class Record:
    """All of it, written by many threads."""

    seen: list[Seen] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    stood: list[Stood] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    narrowings: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    events: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, kind: str) -> None:
        """Counts one."""
        with self._lock:
            self.faults[kind] += 1

    def narrowed(self, closed: Closed) -> None:
        """A narrowing was answered ENFORCED."""
        with self._lock:
            self.closed.append(closed)
            self.narrowings[closed.kind] += 1

    def widening(self, child: str) -> None:
        """Something of the child (or of the region, "") is about to be opened again."""
        now = boot()
        with self._lock:
            for closed in self.closed:
                if closed.child == child and closed.until == NEVER:
                    closed.until = now
