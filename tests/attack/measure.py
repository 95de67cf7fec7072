"""Figures: whether refusals take alike long, and what a flood by one client does to another.

Nothing here passes or fails by a time: figures are printed. What holds whatever the machine does is tested
(`exchange/outbound/test_alike.py`, `test_limits.py`).
"""

import json
import math
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import httpx

from attack.floods import KINDS
from ecm.local.stack import Stack

FLOODS = Path(__file__).with_name("floods.py")
RESAMPLED = 400

Paths = dict[str, Callable[[], str]]
"""What is asked for, by kind of refusal."""


@dataclass(frozen=True)
class Difference:
    """Of two samples, in µs: medians, the difference's 95 % interval by bootstrap, p by Mann and Whitney's U."""

    median: float
    other: float
    low: float
    high: float
    p: float

    @property
    def detectable(self) -> float:
        """What would have been seen: half the interval's width."""
        return (self.high - self.low) / 2


def compare(first: Sequence[float], second: Sequence[float], seed: int) -> Difference:
    """Two samples in seconds."""
    draw = random.Random(seed)
    gaps = sorted(
        median(draw.choices(second, k=len(second))) - median(draw.choices(first, k=len(first)))
        for _ in range(RESAMPLED)
    )
    low, high = gaps[int(0.025 * RESAMPLED)], gaps[int(0.975 * RESAMPLED)]
    micro = [value * 1e6 for value in (median(first), median(second), low, high)]
    return Difference(*micro, mann_whitney(first, second))


def _resampled(draw: random.Random, sample: Sequence[float]) -> float:
    return median(draw.choices(sample, k=len(sample)))


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p, by the normal approximation; samples are large, and ties are few."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, of) in enumerate(ranked, start=1) if of == 0)
    n, m = len(first), len(second)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def alike(
    stack: Stack, client: str, paths: dict[str, Callable[[], str]], each: int, seed: int
) -> dict[str, list[float]]:
    """Seconds by kind of refusal, `each` of them, in an order drawn by lot, over one connection."""
    token, order = stack.token(client=client), random.Random(seed)
    kinds = [kind for kind in paths for _ in range(each)]
    order.shuffle(kinds)
    found: dict[str, list[float]] = {kind: [] for kind in paths}
    with httpx.Client(base_url=stack.addresses["fhir"], trust_env=False, timeout=30) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        for number, kind in enumerate(["warm"] * 30 + kinds):
            path = f"/Patient/{uuid.uuid4()}" if kind == "warm" else paths[kind]()
            began = time.perf_counter()
            answer = http.get(path)
            took = time.perf_counter() - began
            assert answer.status_code == 404, (kind, number, answer.text)
            if kind != "warm":
                found[kind].append(took)
    return found


@dataclass(frozen=True)
class Service:
    """What one client got: seconds of each of its requests, one at a time; how many weren't answered as they should."""

    seconds: tuple[float, ...]
    failed: int

    @property
    def p50(self) -> float:
        return median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        return quantiles(self.seconds, n=100)[98] * 1000


def served(stack: Stack, token: str, seconds: float) -> Service:
    """One client's reads, one after the other with a pause."""
    took, failed = [], 0
    until = time.monotonic() + seconds
    with httpx.Client(base_url=stack.addresses["fhir"], trust_env=False, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        while time.monotonic() < until:
            began = time.perf_counter()
            answer = http.get(f"/Patient/{uuid.uuid4()}")
            took.append(time.perf_counter() - began)
            failed += answer.status_code != 404
            time.sleep(0.01)
    return Service(tuple(took), failed)


def flooded(stack: Stack, kind: str, by: str, token: str, seconds: float) -> tuple[Service, dict[str, int]]:
    """What the token's client gets while `by` floods; and what the flood was answered."""
    port = stack.addresses["fhir"].partition("//")[2].partition("/")[0].rpartition(":")[2]
    arguments = [sys.executable, str(FLOODS), kind, port, stack.token(client=by), str(seconds + 1)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    got = served(stack, token, seconds)
    told, _ = process.communicate(timeout=seconds + 120)
    return got, json.loads(told)


def floods(stack: Stack, by: str, client: str, seconds: float) -> list[str]:
    """A line for each kind of flood."""
    # One token for all: after a flood of bad ones a new one from the same address waits a moment (decision 20).
    token = stack.token(client=client)
    idle = served(stack, token, seconds)
    lines = [f"{'idle':<14} p50 {idle.p50:7.1f} ms  p99 {idle.p99:7.1f} ms  {len(idle.seconds)} answered"]
    for kind in KINDS:
        got, told = flooded(stack, kind, by, token, seconds)
        ratio = f"x{got.p50 / idle.p50:.1f} x{got.p99 / idle.p99:.1f}"
        counts = " ".join(f"{status}:{count}" for status, count in sorted(told.items()))
        lines.append(
            f"{kind:<14} p50 {got.p50:7.1f} ms  p99 {got.p99:7.1f} ms  {len(got.seconds)} answered, {got.failed} failed"
            f"  {ratio}  the flood: {counts}"
        )
    return lines
