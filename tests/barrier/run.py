"""One run: readers, changes and faults beside each other for a while, then the checker's verdict."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from barrier.changes import CUSTODY, Changes
from barrier.checker import Breach, check
from barrier.children import OPEN, Child
from barrier.faults import Faults
from barrier.ground import Ground
from barrier.marks import INSTALL, Ledger
from barrier.moments import boot
from barrier.readers import ROUTES, Catalogue, Listener, Reader
from barrier.record import Record
from barrier.regional import Regional
from barrier.turns import Turns
from ecm.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY

READERS = (PSYCHOLOGY, PSYCHOLOGY, PSYCHOLOGY, LOCAL_AUTHORITY, LOCAL_AUTHORITY, CUSTODY)
FAULTS = (
    (("cut", "cut", "pause"), (2.0, 7.0)),
    (("kill", "restart"), (12.0, 25.0)),
    (("clock",), (3.0, 9.0)),
    (("unreachable",), (25.0, 60.0)),
)
SETTLE_SECONDS = 90.0
JOIN_SECONDS = 180.0
Chances = Callable[[str], random.Random]


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does. `faults`: for each that makes them, which kinds, and seconds between two of them.

    `first`: seconds before the first change, so that a fault can be there before it.
    """

    readers: tuple[str, ...] = READERS
    kinds: tuple[str, ...] = tuple(sorted(OPEN))
    first: float = 0.0
    hold: tuple[float, float] = (0.2, 1.5)
    faults: tuple[tuple[tuple[str, ...], tuple[float, float]], ...] = FAULTS
    regional: bool = True
    routes: tuple[str, ...] = ROUTES
    install: str = INSTALL


@dataclass(slots=True)
class Run:
    """Prepared once; `go` may be called again and again, each time with a seed of its own."""

    ground: Ground
    children: list[Child]
    turns: Turns = field(default_factory=Turns)

    def go(self, seed: str, seconds: float, plan: Plan | None = None) -> Verdict:
        """What happened in `seconds`, and the checker's verdict."""
        plan = plan or Plan()
        over, record, chance = threading.Event(), Record(), chances(seed)
        changes = self._changes(record, chance, over, plan)
        for one in changes:
            one.open_all()
        self.ground.ready()
        for one in changes:
            one.shown()
        self.ground.database("exchange").execute(plan.install)
        regional = Regional(self.ground, changes, record, chance("region"), over)
        work = [partial(one.run, self.turns.beside, plan.first) for one in changes]
        work += [partial(regional.run, self.turns.alone)] if plan.regional else []
        work += self._reading(record, chance, over, plan)
        for number, (kinds, gap) in enumerate(plan.faults):
            work.append(partial(Faults(self.ground, record, chance(f"faults {number}"), over).run, kinds, gap))
        begun = boot()
        try:
            _beside(work, over, seconds)
        finally:
            regional.close()
        return self._verdict(record, begun)

    def _changes(self, record: Record, chance: Chances, over: threading.Event, plan: Plan) -> list[Changes]:
        return [
            Changes(self.ground, child, record, chance(f"child {number}"), over, plan.kinds, plan.hold)
            for number, child in enumerate(self.children)
        ]

    def _reading(self, record: Record, chance: Chances, over: threading.Event, plan: Plan) -> list[Callable[[], None]]:
        catalogue = Catalogue(self.ground, [child.journey.subject.identifier for child in self.children])
        catalogue.look()
        listeners = [Listener(self.ground, client, catalogue, record) for client in sorted(set(plan.readers))]
        readers = [
            Reader(self.ground, client, catalogue, record, chance=chance(f"reader {number}"), routes=plan.routes)
            for number, client in enumerate(plan.readers)
        ]
        return [partial(one.run, over) for one in (catalogue, *listeners, *readers)]

    def _verdict(self, record: Record, begun: float) -> Verdict:
        self.ground.ready(SETTLE_SECONDS)
        ledger = Ledger.read(self.ground.database("exchange"))
        handed = [one for one in self.ground.handed() if one.committed > begun]
        breaches = check(record, ledger, handed)
        return Verdict(record, breaches, len(ledger.disclosed), len(ledger.told), len(handed), self.ground.clocks.why)


def chances(seed: str) -> Chances:
    """A source of chance for each who decides: what one decides doesn't depend on how fast another is."""
    return lambda name: random.Random(f"{seed}/{name}")


def _beside(work: Sequence[Callable[[], None]], over: threading.Event, seconds: float) -> None:
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
    over.wait(seconds)
    over.set()
    until = time.monotonic() + JOIN_SECONDS
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0.0))
    if failed:
        raise failed[0]
    if any(thread.is_alive() for thread in threads):
        raise TimeoutError("What was under way hasn't ended.")
