"""The monitoring return: checklist items 192 to 205, and what derives from them (208)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Outcome, Review, Supervision
from ecm.monitoring.model.facts import Fact


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """All that the return counts of one case. `completed_on` is the day the plan was marked completed."""

    case_id: UUID
    child_id: UUID
    facts: Sequence[Fact] = ()
    reviews: Sequence[Review] = ()
    outcomes: Sequence[Outcome] = ()
    completed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both within."""

    first: date
    last: date

    def has(self, day: date) -> bool:
        """Whether the day lies within."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Material:
    """What a return is computed from: a YOT's cases, its caseload as entered, its supervision sessions."""

    period: Period
    report_months: int
    cases: Sequence[CaseHistory] = ()
    caseload: Caseload | None = None
    supervisions: Sequence[Supervision] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the return; `count` None = nothing was entered or there is nothing to derive from."""

    item: str
    title: str
    count: int | None
    reasons: Mapping[str, int] = field(default_factory=dict)


def counted(item: str, title: str, reasons: Iterable[str]) -> Figure:
    """A figure with its reasons, one entry of `reasons` per occurrence."""
    tally = Counter(reasons)
    return Figure(item, title, tally.total(), dict(sorted(tally.items())))


def each_fact(material: Material, name: str) -> Iterator[tuple[CaseHistory, Fact]]:
    """The facts of that name on days of the period."""
    for case in material.cases:
        for fact in case.facts:
            if fact.name == name and material.period.has(fact.on):
                yield case, fact


def median(days: Iterable[int]) -> int | None:
    """The middle of the numbers, the lower of two; None of none."""
    ordered = sorted(days)
    return ordered[(len(ordered) - 1) // 2] if ordered else None
