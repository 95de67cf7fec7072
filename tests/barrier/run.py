"""One run: readers, changes and faults beside each other for a while, then the checker's verdict."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from barrier.changes import CUSTODY, Changes
from barrier.checker import Breach, check
from barrier.children import Child
from barrier.faults import Faults
from barrier.ground import Ground
from barrier.marks import INSTALL, Ledger
from barrier.readers import ROUTES, Catalogue, Listener, Reader
from barrier.record import Record
from barrier.regional import Regional
from barrier.turns import Turns
from ecm.local.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY

READERS = (PSYCHOLOGY, PSYCHOLOGY, PSYCHOLOGY, LOCAL_AUTHORITY, LOCAL_AUTHORITY, CUSTODY)
FAULTS = (
    (("cut", "cut", "pause"), (2.0, 7.0)),
    (("kill", "restart"), (12.0, 25.0)),
    (("clock",), (3.0, 9.0)),
    (("unreachable",), (25.0, 60.0)),
)
SETTLE_SECONDS = 90.0


@dataclass(slots=True)
class Verdict:
    """What was tried, and every breach."""

    record: Record
    breaches: list[Breach]
    disclosed: int
    told: int
    handed: int
    why_no_steps: str = ""

    def line(self) -> str:
        """One line of counts."""
        asked = Counter(seen.route for seen in self.record.seen)
        shown = Counter(seen.route for seen in self.record.seen if seen.versions)
        statuses = Counter(seen.status for seen in self.record.seen)
        by_time = sum(closed.by_time for closed in self.record.closed)
        steps = f" ({self.why_no_steps})" if self.why_no_steps else ""
        return (
            f"breaches {len(self.breaches)} | requests {len(self.record.seen)} "
            f"[{', '.join(f'{route} {asked[route]}/{shown[route]}' for route in ROUTES)}; asked/disclosed] "
            f"by status [{_said(statuses)}] | disclosures audited {self.disclosed}, handed over {self.handed} | "
            f"events {self.told} numbered, {self.record.events} on topics | "
            f"narrowings {len(self.record.closed)} [{_said(self.record.narrowings)}], by time {by_time} | "
            f"faults {sum(self.record.faults.values())} [{_said(self.record.faults)}] | "
            f"clock steps {sum(n for kind, n in self.record.faults.items() if kind.startswith('clock'))}{steps}"
        )


def _said(counts: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda one: str(one[0])))


@dataclass(slots=True)
class Run:
    """Prepared once; `go` may be called again and again, each time with a seed of its own."""

    ground: Ground
    children: list[Child]
    turns: Turns = field(default_factory=Turns)

    def __post_init__(self) -> None:
        self.ground.database("exchange").execute(INSTALL)

    def go(
        self,
        seed: str,
        seconds: float,
        *,
        faults: tuple[tuple[tuple[str, ...], tuple[float, float]], ...] = FAULTS,
        readers: tuple[str, ...] = READERS,
        hold: tuple[float, float] = (0.3, 2.5),
        enough: Callable[[Record], bool] = lambda _: False,
    ) -> Verdict:
        """All that happened in `seconds`, or until there was `enough`, and the checker's verdict."""
        over, record = threading.Event(), Record()
        catalogue = Catalogue(self.ground, [child.journey.subject.identifier for child in self.children])
        catalogue.look()
        chance = _chances(seed)
        changes = [
            Changes(self.ground, child, record, chance(f"child {number}"), over, hold)
            for number, child in enumerate(self.children)
        ]
        regional = Regional(self.ground, changes, record, chance("region"), over)
        work: list[Callable[[], None]] = [lambda: catalogue.run(over), lambda: regional.run(self.turns.alone)]
        work += [lambda one=one: one.run(self.turns.beside) for one in changes]  # type: ignore[misc]
        for client in sorted({PSYCHOLOGY, LOCAL_AUTHORITY, CUSTODY}):
            listener = Listener(self.ground, client, catalogue, record)
            work.append(lambda one=listener: one.run(over))  # type: ignore[misc]
        for number, client in enumerate(readers):
            reader = Reader(self.ground, client, catalogue, record, chance(f"reader {number}"))
            work.append(lambda one=reader: one.run(over))  # type: ignore[misc]
        for number, (kinds, gap) in enumerate(faults):
            makers = Faults(self.ground, record, chance(f"faults {number}"), over)
            work.append(lambda one=makers, kinds=kinds, gap=gap: one.run(kinds, gap))  # type: ignore[misc]
        with ExitStack() as ending:
            ending.callback(regional.close)
            _beside(work, over, seconds, lambda: enough(record))
        return self._verdict(record)

    def _verdict(self, record: Record) -> Verdict:
        self.ground.ready(SETTLE_SECONDS)
        ledger, handed = Ledger.read(self.ground.database("exchange")), self.ground.handed()
        breaches = check(record, ledger, handed)
        return Verdict(record, breaches, len(ledger.disclosed), len(ledger.told), len(handed), self.ground.clocks.why)


def _chances(seed: str) -> Callable[[str], random.Random]:
    """A source of chance for each who decides: what one decides doesn't depend on how fast another is."""
    return lambda name: random.Random(f"{seed}/{name}")


def _beside(work: list[Callable[[], None]], over: threading.Event, seconds: float, enough: Callable[[], bool]) -> None:
    failed: list[BaseException] = []

    def one(what: Callable[[], None]) -> None:
        try:
            what()
        except BaseException as error:
            failed.append(error)
            over.set()

    threads = [threading.Thread(target=one, args=(what,), daemon=True) for what in work]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    while time.monotonic() < until and not over.wait(0.25) and not enough():
        pass
    over.set()
    for thread in threads:
        thread.join(60)
    if failed:
        raise failed[0]
