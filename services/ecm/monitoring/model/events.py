"""Outcomes as the return counts them: recorded outcomes, and a review's yes that no outcome tells."""

from collections.abc import Iterator
from datetime import date
from typing import TypeAlias

from ecm.api.monitoring.v1.monitoring_records_pb2 import Outcome, OutcomeKind, Review
from ecm.monitoring.model.days import known_day
from ecm.monitoring.model.figures import CaseHistory, Period

Kind: TypeAlias = "OutcomeKind.ValueType"


def outcomes_in(case: CaseHistory, kind: Kind, period: Period) -> list[Outcome]:
    """The case's recorded outcomes of a kind in the period, earliest first."""
    found = [o for o in case.outcomes if o.kind == kind and period.has(known_day(o.on))]
    return sorted(found, key=lambda outcome: known_day(outcome.on))


def days_of(case: CaseHistory, kind: Kind, period: Period) -> list[date]:
    """The days that a reoffence or breach is known of, earliest first.

    A review that answers yes counts on its own day where no outcome of the kind
    was recorded since the review before: the same event isn't counted twice.
    """
    recorded = [known_day(o.on) for o in case.outcomes if o.kind == kind]
    told = _told_by_reviews(case, kind, recorded)
    return sorted(on for on in [*recorded, *told] if period.has(on))


def _told_by_reviews(case: CaseHistory, kind: Kind, recorded: list[date]) -> Iterator[date]:
    before = date.min
    for review in sorted(case.reviews, key=lambda r: known_day(r.held_on)):
        on = known_day(review.held_on)
        if _says(review, kind) and not any(before < day <= on for day in recorded):
            yield on
        before = on


def _says(review: Review, kind: Kind) -> bool:
    if kind == OutcomeKind.OUTCOME_KIND_REOFFENCE:
        return review.reoffended
    return kind == OutcomeKind.OUTCOME_KIND_BREACH and review.breached
