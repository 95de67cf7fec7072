"""Faults: every process killed, broker and database restarted, links cut, while a child's journey goes on under load.

    make faults [SEED=7] [FAULTS="--rounds 3 --seconds 600 --on-links 12"]

The journey must end as a calm one does. Then a checker that shares nothing with the services but their tables,
topics and mapping says whether anything was lost, done twice, out of order or left behind. Prints its seed (what
goes wrong and when is drawn from it alone) and, at the end, one line of counts; status 1 where anything was found.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ecm.demo import journey as patience
from ecm.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY, Journey
from ecm.demo.material import Subject
from ecm.demo.story import STEPS
from faults import schedule
from faults.checker import check
from faults.clients import GoodPartner, GoodYot, quietly
from faults.evidence import Evidence, settled
from faults.ledger import PATIENCE_SECONDS, Ledger
from faults.links import Linked, linked_region
from faults.load import Load
from faults.storm import Storm
from faults.subjects import subjects

LEASE_SECONDS = 5.0
NOTICE_SECONDS = 45.0  # of the meeting: its commands take longer in a storm
LONGEST_SEED = 1_000_000
Say = Callable[[str], None]


@dataclass
class Run:
    """One region through all rounds of a run: its journeys, and what its clients saw."""

    linked: Linked
    say: Say
    ledger: Ledger = field(default_factory=Ledger)
    made: Counter[str] = field(default_factory=Counter)
    calm: list[Journey] = field(default_factory=list)
    stormy: list[Journey] = field(default_factory=list)
    loaded: list[Journey] = field(default_factory=list)
    reads: int = 0

    def __post_init__(self) -> None:
        self.subjects: Iterator[Subject] = subjects(patience.Journey.on(self.linked.stack).today)

    def begin(self, subject: Subject, on_command: Callable[[], None] = quietly) -> Journey:
        """A journey whose clients don't give up."""
        stack = self.linked.stack
        partners = [
            GoodPartner(stack, client, ledger=self.ledger, on_command=on_command)
            for client in (PSYCHOLOGY, LOCAL_AUTHORITY)
        ]
        yot = GoodYot(stack, ledger=self.ledger, on_command=on_command)
        return Journey(stack, subject, yot, partners[0], partners[1], Journey.on(stack).today)

    def calm_journey(self) -> int:
        """A journey without any fault, which the others are held against; how many commands it has."""
        commands = Counter[str]()
        journey = self.begin(next(self.subjects), lambda: commands.update(["command"]))
        self._take(journey)
        self.calm.append(journey)
        return commands["command"]

    def stormy_journey(self, seed: int, commands: int, options: argparse.Namespace) -> None:
        """A journey with the faults of its seed, and load beside it."""
        planned = schedule.plan(seed, commands, options.on_links, options.pairs)
        storm = Storm(self.linked, planned, self.say)
        load = Load(self.begin, self.subjects, seed)
        with load.going():
            journey = self.begin(next(self.subjects), storm.command)
            journey.notice = NOTICE_SECONDS
            self._take(journey)
            storm.over()
        self.stormy.append(journey)
        self.loaded += load.finished
        self.reads += load.reads
        self.made.update(schedule.counts(planned))

    def _take(self, journey: Journey) -> None:
        for number, step in enumerate(STEPS, start=1):
            began = time.monotonic()
            step.take(journey)
            self.say(f"step {number:2} {time.monotonic() - began:5.1f} s  {step.title}")
        journey.close()

    def evidence(self) -> Evidence:
        """Everything that the checker reads, once all has settled."""
        stories = [[one.ids["child"] for one in several] for several in (self.calm + self.stormy, self.loaded)]
        return settled(self.linked.stack, self.ledger, stories)

    def line(self, seed: int, looked_at: Counter[str], findings: int) -> str:
        """The one line of counts."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.made.items()))
        seen = ", ".join(f"{count} {what}" for what, count in looked_at.items())
        return (
            f"faults: seed {seed}; {len(self.stormy)} journeys through {sum(self.made.values())} faults ({kinds}); "
            f"{len(self.ledger.commands)} commands answered, {sum(self.ledger.refused.values())} tries refused, "
            f"{len(self.loaded)} children and {self.reads} reads beside; checked {seen}; {findings} findings"
        )


@contextmanager
def patient() -> Iterator[None]:
    """Within, a journey waits for what travels as long as its clients do for an answer."""
    before, patience.PATIENCE_SECONDS = patience.PATIENCE_SECONDS, PATIENCE_SECONDS
    try:
        yield
    finally:
        patience.PATIENCE_SECONDS = before


def go(linked: Linked, options: argparse.Namespace, say: Say) -> tuple[Run, Evidence]:
    """All rounds; then the evidence."""
    run = Run(linked, say)
    commands = run.calm_journey()
    end, number = time.monotonic() + options.seconds, 0
    while number < options.rounds or time.monotonic() < end:
        say(f"round {number + 1}, seed {options.seed + number}")
        run.stormy_journey(options.seed + number, commands, options)
        number += 1
    return run, run.evidence()


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(LONGEST_SEED), help="else a random one")
    parser.add_argument("--rounds", type=int, default=1, help="at least so many journeys")
    parser.add_argument("--seconds", type=float, default=0.0, help="begin journeys for so long")
    parser.add_argument("--on-links", type=int, default=8, help="faults on connections in each journey")
    parser.add_argument("--pairs", type=int, default=1, help="two processes killed at a time, in each journey")
    return parser.parse_args(arguments)


def main() -> None:
    """Prints as it goes; the last line has the counts."""
    options = parse(sys.argv[1:])
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:6.1f}  {words}", flush=True)

    say(f"seed {options.seed}")
    folder = Path(tempfile.mkdtemp(prefix="ecm-faults-"))
    say(f"state in {folder}")
    with linked_region(folder, lease_seconds=LEASE_SECONDS) as linked, patient():
        run, evidence = go(linked, options, say)
        looked_at, findings = check(evidence)
    for finding in findings:
        say(str(finding))
    print(run.line(options.seed, looked_at, len(findings)))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
