"""Interleaved rounds: each server alone under the same load in its turn, and what it cost."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.children import Children
from benchmarks.load import load
from benchmarks.processes import Tree
from benchmarks.servers import Server
from benchmarks.works import CREATE, EVERYTHING, paged, requests_for

QUIET = 0.15
"""Cores that idle processes may use."""
LOOK_SECONDS = 0.3
PATIENCE_SECONDS = 20.0


@dataclass
class Measured:
    """One work on one server."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    server_cpu: float = 0.0
    database_cpu: float = 0.0
    load_cpu: float = 0.0

    def result(self) -> dict[str, float]:
        """Of all rounds: the median rate, latencies in ms, CPU a request in µs."""
        cuts = statistics.quantiles(self.latencies, n=100)
        per_request = 1e6 / len(self.latencies)
        return {
            "rps": round(statistics.median(self.rates), 1),
            "p50_ms": round(cuts[49] * 1000, 2),
            "p99_ms": round(cuts[98] * 1000, 2),
            "server_cpu_us": round(self.server_cpu * per_request, 1),
            "database_cpu_us": round(self.database_cpu * per_request, 1),
            "load_cpu_us": round(self.load_cpu * per_request, 1),
        }


@dataclass(frozen=True)
class Plan:
    """How long, how often; `everything` is the CPU of all that runs, `checkpoint` makes the database's."""

    works: Sequence[str]
    seconds: float
    rounds: int
    warm_seconds: float
    database: Tree
    running: Callable[[], float]
    checkpoint: Callable[[], Awaitable[None]]
    say: Callable[[str], None]


async def measure(servers: Mapping[str, Server], children: Children, plan: Plan) -> dict[str, dict[str, Measured]]:
    """Work → server → what was measured. The first round warms up, and doesn't count."""
    found = {work: {name: Measured() for name in servers} for work in plan.works}
    for number in range(-1, plan.rounds):
        for work in plan.works:
            plan.say(f"round {number + 1} of {plan.rounds}: {work}" if number >= 0 else f"warming up: {work}")
            for name, server in servers.items():
                warming = number < 0
                into = Measured() if warming else found[work][name]
                turn = Turn(server, work, plan.warm_seconds if warming else plan.seconds)
                await turn.take(children, plan, into)
    return found


@dataclass(frozen=True)
class Turn:
    """One server under one work for a while."""

    server: Server
    work: str
    seconds: float

    async def take(self, children: Children, plan: Plan, into: Measured) -> None:
        """Asks, lets it finish, and adds what it gave and cost."""
        server, writing = self.server, self.work == CREATE
        requests = requests_for(self.work, server, children)
        follow = paged(server, server.headers()) if self.work == EVERYTHING else None
        before = server.cpu(writing=writing), plan.database.cpu()
        made = await load(server.port, requests, self.seconds, follow)
        # What it left to do later is its own cost, and not the next one's.
        await settle(plan.running)
        if writing:
            await plan.checkpoint()
        into.rates.append(made.rate)
        into.latencies += made.latencies
        into.server_cpu += server.cpu(writing=writing) - before[0]
        into.database_cpu += plan.database.cpu() - before[1]
        into.load_cpu += made.cpu


async def settle(running: Callable[[], float]) -> None:
    """Until all that runs is idle, at most 20 s."""
    until = time.monotonic() + PATIENCE_SECONDS
    used = QUIET * 2
    while used > QUIET and time.monotonic() < until:
        began, before = time.monotonic(), running()
        await asyncio.sleep(LOOK_SECONDS)
        used = (running() - before) / (time.monotonic() - began)
