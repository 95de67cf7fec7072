"""What goes wrong, and when: drawn from the seed before anything runs, so that a run can be repeated."""

import random
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ecm.local.names import ALL_PARTS
from ecm.local.stack import Stack
from faulting.proxy import BOTH, Way
from faults.links import LINKS, Link, Linked

Kind = Literal["kill", "restart", "cut", "hold", "hold-asking", "hold-answering", "lose", "strand", "slow"]
# An orderly end, as an administrator's or an orchestrator's.
RESTARTS = {"postgres": signal.SIGINT, "kafka": signal.SIGTERM}
ON_LINKS: tuple[Kind, ...] = ("cut", "hold", "hold-asking", "hold-answering", "lose", "strand", "slow")
# Links whose every kind of fault is wanted in a run; of the others some are drawn.
INFRASTRUCTURE = ("postgres", "kafka", "issuer")
# Mostly shorter than the services' own bounds of 5 to 15 s; now and then longer than all of them.
SHORTEST, LONGEST = 1.0, 4.0
OUTAGE_SECONDS = 17.0
KILLED_SHARE = 2 / 3  # of those that reach the issuer no more
SLOW_DELAY, SLOW_RATE = 0.15, 64_000.0
RECOVERY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: before which command of the journey it begins, how long after it, and how long it lasts.

    `also`: another part that is killed with the first, or while the link is disturbed: then it has neither keys nor
    tokens of the issuer.
    """

    at_command: int
    kind: Kind
    part: str = ""
    also: str = ""
    link: Link = ("", "")
    delay: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        where = self.part or f"{self.link[0]} to {self.link[1]}"
        killed = f" and {'' if self.part else 'kill '}{self.also}" if self.also else ""
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"command {self.at_command} + {self.delay * 1000:.0f} ms: {self.kind} {where}{killed}{lasting}"


def plan(seed: int, commands: int, on_links: int, pairs: int = 1) -> list[Fault]:
    """The faults of one journey of so many commands.

    Each process is killed once, and `pairs` of two at a time; both of the
    infrastructure are restarted; there are `on_links` faults of links, the first
    longer than everybody's patience.
    """
    chance = random.Random(seed)
    wanted: list[Fault] = [Fault(0, "kill", part=part) for part in ALL_PARTS]
    wanted += [Fault(0, "restart", part=part) for part in RESTARTS]
    wanted += [Fault(0, "kill", *chance.sample(ALL_PARTS, 2)) for _ in range(pairs)]
    wanted += [_on_link(chance, number) for number in range(on_links)]
    chance.shuffle(wanted)
    at = sorted(chance.sample(range(1, commands + 1), len(wanted))) if len(wanted) <= commands else range(len(wanted))
    return [_timed(chance, number, fault) for number, fault in zip(at, wanted, strict=True)]


def _on_link(chance: random.Random, number: int) -> Fault:
    """Every kind in turn; to PostgreSQL, to Kafka, between services and to the issuer alike."""
    targets = ("postgres", "kafka", "", "issuer")
    target = targets[number % len(targets)]
    links = [link for link in LINKS if (link[1] == target if target else link[1] not in INFRASTRUCTURE)]
    kind = ON_LINKS[(number // len(targets) + chance.randrange(len(ON_LINKS))) % len(ON_LINKS)]
    seconds = chance.uniform(SHORTEST, LONGEST) if number else OUTAGE_SECONDS
    link = chance.choice(links)
    killed = link[0] if target == "issuer" and chance.random() < KILLED_SHARE else ""
    return Fault(0, kind, also=killed, link=link, seconds=seconds)


def _timed(chance: random.Random, number: int, fault: Fault) -> Fault:
    # From before the command has arrived until after it was answered.
    delay = chance.choice((0.0, 0.005, 0.02, 0.05, 0.2)) * chance.random()
    return replace(fault, at_command=number, delay=delay)


def strike(linked: Linked, fault: Fault) -> None:
    """Makes the fault, and returns when it is over and everything is healthy again."""
    time.sleep(fault.delay)
    if fault.part:
        _end(linked.stack, fault)
    else:
        _disturb(linked, fault)
    linked.stack.wait_healthy(seconds=RECOVERY_SECONDS)


def _end(stack: Stack, fault: Fault) -> None:
    for part in filter(None, (fault.part, fault.also)):
        stack.wait_healthy(part, seconds=RECOVERY_SECONDS)
    if fault.kind == "kill":
        for part in filter(None, (fault.part, fault.also)):
            stack.kill(part)
        return
    process = stack.state.parts[fault.part].process
    assert process is not None
    process.identity.send(RESTARTS[fault.part])
    process.identity.gone_within(RECOVERY_SECONDS)


def _disturb(linked: Linked, fault: Fault) -> None:
    proxy = linked.proxies[fault.link]
    if fault.also:
        linked.stack.wait_healthy(fault.also, seconds=RECOVERY_SECONDS)
    match fault.kind:
        case "cut":
            proxy.refuse()
        case "strand":
            proxy.strand()
        case "slow":
            proxy.slow(SLOW_DELAY, SLOW_RATE)
        case "hold-asking":
            proxy.hold((Way.ASKING,))
        case "hold-answering":
            proxy.hold((Way.ANSWERING,))
        case _:
            proxy.hold(BOTH)
    if fault.also:
        linked.stack.kill(fault.also)
    time.sleep(fault.seconds)
    # Late, or lost with the connection: both happen.
    if fault.kind == "lose":
        proxy.release()
    else:
        proxy.resume()


def counts(faults: Iterable[Fault]) -> dict[str, int]:
    """How many of each kind."""
    found: dict[str, int] = {}
    for fault in faults:
        found[fault.kind] = found.get(fault.kind, 0) + 1
    return found
