"""Figures: whether refusals take alike long, whatever their reason.

Nothing here passes or fails by a time: figures are printed. What holds whatever the machine does is tested
(`exchange/outbound/test_alike.py`).
"""

import math
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from statistics import median
from typing import Self

from attack.service import Asking
from ecm.demo.journey import Journey

RESAMPLED = 400
WARM = 50
PAUSE_SECONDS = 0.0015
"""Between two requests: below what the client may ask a second."""
NHS = "https://fhir.nhs.uk/Id/nhs-number"
NEVER = "never existed"
MUCH = "&".join(f"authored=ge{year}" for year in range(1960, 2000))

Paths = dict[str, Callable[[], str]]
"""What is asked for, by kind of refusal; NEVER is what the others are held against."""


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
    gaps = sorted(_resampled(draw, second) - _resampled(draw, first) for _ in range(RESAMPLED))
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


@dataclass(frozen=True)
class Hidden:
    """A child that a client can't see, and why: its Patient, that one's version, its number, an event's address."""

    kind: str
    patient: str
    version: str
    number: str
    event: str

    @classmethod
    def of(cls, kind: str, journey: Journey) -> Self:
        """The child that psychology sees still; then it is hidden from others, or will be."""
        psychology, identifier = journey.psychology, journey.subject.identifier
        patient = psychology.patient(identifier)
        assert patient is not None
        tokens = [event.dataref for event in psychology.events(seconds=1.0) if event.dataref]
        pointing = (url for url in tokens if psychology.get(url).json().get("id") == patient["id"])
        version, number = patient["meta"]["versionId"], identifier.partition("|")[2]
        return cls(kind, patient["id"], version, number, next(pointing).rpartition("/")[2])

    def paths(self) -> dict[str, Paths]:
        """By interaction; what never existed beside it."""
        some, word = (lambda: str(uuid.uuid4())), "nobody"
        return {
            "read": {
                NEVER: lambda: f"/Patient/{some()}",
                self.kind: lambda: f"/Patient/{self.patient}",
                "no id of ours": lambda: f"/Patient/{word}",
            },
            "search by identifier": {
                NEVER: lambda: f"/Patient?identifier={NHS}|{random.randrange(10**9, 2 * 10**9)}",
                self.kind: lambda: f"/Patient?identifier={NHS}|{self.number}",
            },
            "search by patient": {
                NEVER: lambda: f"/Observation?patient={some()}",
                self.kind: lambda: f"/Observation?patient={self.patient}",
            },
            "search, much wanted": {
                NEVER: lambda: f"/ServiceRequest?patient={some()}&{MUCH}",
                self.kind: lambda: f"/ServiceRequest?patient={self.patient}&{MUCH}",
            },
            "vread": {
                NEVER: lambda: f"/Patient/{some()}/_history/{self.version}",
                self.kind: lambda: f"/Patient/{self.patient}/_history/{self.version}",
                "no such version": lambda: f"/Patient/{self.patient}/_history/{uuid.uuid4().hex}",
            },
            "$everything": {
                NEVER: lambda: f"/Patient/{some()}/$everything",
                self.kind: lambda: f"/Patient/{self.patient}/$everything",
            },
            "event": {
                NEVER: lambda: f"/events/{uuid.uuid4().hex}",
                self.kind: lambda: f"/events/{self.event}",
            },
        }


def measure(asking: Asking, paths: Paths, each: int, seed: int) -> dict[str, list[float]]:
    """Seconds by kind of refusal, `each` of them, in an order drawn by lot, over one connection."""
    kinds = [kind for kind in paths for _ in range(each)]
    random.Random(seed).shuffle(kinds)
    found: dict[str, list[float]] = {kind: [] for kind in paths}
    for number, kind in enumerate([NEVER] * WARM + kinds):
        took, status, body = asking.get(paths[kind]())
        nothing = status == HTTPStatus.OK and b'"total":0,' in body
        assert nothing or status == HTTPStatus.NOT_FOUND, (kind, status, body[:300])
        if number >= WARM:
            found[kind].append(took)
        time.sleep(PAUSE_SECONDS)
    return found


def lines(asking: Asking, client: str, hidden: Hidden, each: int, seed: int) -> Iterator[str]:
    """A line for each kind of refusal of each interaction."""
    for interaction, paths in hidden.paths().items():
        first, *others = measure(asking, paths, each, seed).items()
        for kind, took in others:
            found = compare(first[1], took, seed)
            yield (
                f"{client:<18} {interaction:<20} {first[0]} {found.median:4.0f}, {kind} {found.other:4.0f}: "
                f"difference {found.low:+4.0f} to {found.high:+4.0f} (95 %), p {found.p:.2f}, "
                f"detectable from {found.detectable:.0f}"
            )
