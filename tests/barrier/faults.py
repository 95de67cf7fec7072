"""Faults at random: links cut one way or both, processes killed, restarted and stopped, clocks that step."""

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from barrier.ground import LEASE_SECONDS, Ground
from barrier.moments import boot
from barrier.record import Record, Stood
from ecm.kit.lease import certainly_over
from faulting.proxy import BOTH, Way

WAYS = {"both ways": BOTH, "asking": (Way.ASKING,), "answering": (Way.ANSWERING,)}
STEPS = (-3600, -400, -20, -3, 3, 20, 60, 90, 3600)
OUT_OF_REACH_SECONDS = certainly_over(LEASE_SECONDS) + 6.0
"""Longer than until E comes by time."""


@dataclass(slots=True)
class Faults:
    """Makes one after the other; what it decides comes from `chance` alone."""

    ground: Ground
    record: Record
    chance: random.Random
    over: Event

    def run(self, kinds: tuple[str, ...], gap: tuple[float, float]) -> None:
        """Until it is over. Everything is as before then."""
        makers: dict[str, Callable[[], None]] = {
            "cut": self.cut,
            "behind": self.behind,
            "unreachable": self.unreachable,
            "kill": self.kill,
            "restart": self.restart,
            "pause": self.pause,
            "clock": self.clock,
        }
        while not self.over.wait(self.chance.uniform(*gap)):
            makers[self.chance.choice(kinds)]()

    def cut(self) -> None:
        """A link passes nothing for a while, one way or both."""
        name, way = self.chance.choice(sorted(self.ground.links)), self.chance.choice(sorted(WAYS))
        seconds = self.chance.uniform(0.3, 4.0)
        self.record.fault(f"cut {way}")
        self._held(name, WAYS[way], seconds)

    def behind(self) -> None:
        """`consent` can't reach the exchange for a moment."""
        self.record.fault("behind")
        self._held("consent>exchange", BOTH, self.chance.uniform(1.0, 3.0))

    def unreachable(self) -> None:
        """`consent` can't reach the exchange for longer than until E comes by time."""
        self.record.fault("out of reach")
        self._held("consent>exchange", BOTH, OUT_OF_REACH_SECONDS)

    def kill(self) -> None:
        """SIGKILL; who watches it starts it again."""
        name = self.chance.choice([*self._exchanges(), "consent", "consent", "postgres"])
        if self.ground.signal(name, signal.SIGKILL):
            self.record.fault(f"kill {self._kind(name)}")
        self._elsewhere()

    def restart(self) -> None:
        """SIGTERM: it ends in order, and is started again."""
        name = self.chance.choice([*self._exchanges(), "consent"])
        if self.ground.signal(name, signal.SIGTERM):
            self.record.fault(f"restart {self._kind(name)}")

    def pause(self) -> None:
        """SIGSTOP, and SIGCONT later."""
        name = self.chance.choice([*self._exchanges(), "consent", "postgres"])
        seconds = self.chance.choice((0.3, 0.9, 1.5, 4.0))
        since = boot()
        if self.ground.signal(name, signal.SIGSTOP):
            self.record.fault(f"pause {self._kind(name)}")
            self.over.wait(seconds)
            self.ground.signal(name, signal.SIGCONT)
            self.record.stood.append(Stood(name, since, boot()))

    def clock(self) -> None:
        """A process's wall clock is off for a while."""
        name = self.chance.choice([*self._exchanges(), "consent", "postgres"])
        seconds, step = self.chance.uniform(0.5, 5.0), self.chance.choice(STEPS)
        if self.ground.clocks.why:
            return
        self.record.fault(f"clock of {self._kind(name)}")
        self.ground.clocks.step(name, step)
        self.over.wait(seconds)
        self.ground.clocks.step(name, 0)

    def _held(self, name: str, ways: tuple[Way, ...], seconds: float) -> None:
        link = self.ground.links[name]
        link.hold(ways)
        self.over.wait(seconds)
        link.release()

    def _elsewhere(self) -> None:
        """From now on `consent` sends to some other of the exchange's workers, as behind a balancer."""
        self.ground.links["consent>exchange"].target = self.chance.choice(self.ground.grpc)

    def _exchanges(self) -> list[str]:
        return sorted(self.ground.workers)

    def _kind(self, name: str) -> str:
        return "exchange" if name in self.ground.workers else name
