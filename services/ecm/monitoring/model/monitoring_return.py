"""Builds the return, line by line in the checklist's order (192 to 205, then 208)."""

from collections.abc import Iterator
from itertools import pairwise
from uuid import UUID

from ecm.api.monitoring.v1.monitoring_records_pb2 import OutcomeKind
from ecm.monitoring.model.days import known_day
from ecm.monitoring.model.derived import derived_figures
from ecm.monitoring.model.events import days_of, outcomes_in
from ecm.monitoring.model.facts import FactName
from ecm.monitoring.model.figures import Figure, Material, counted, each_fact, median

# Ends of a case that leave an order or the intervention uncompleted (201).
_UNCOMPLETED = frozenset({"disengaged", "consent", "moved"})


def monitoring_return(material: Material) -> list[Figure]:
    """Every figure of a YOT and a period. Counts are whole: suppression is for what gets published (208)."""
    return [
        *_caseload(material),
        *_referrals(material),
        *_work(material),
        *_endings(material),
        *_offending(material),
        *derived_figures(material),
    ]


def _caseload(material: Material) -> Iterator[Figure]:
    entered = material.caseload
    yield Figure("192", "Children on the YOT's caseload", entered.children if entered else None)
    met = {case.child_id for case, _ in each_fact(material, FactName.CRITERIA_MET)}
    eligible = entered.eligible if entered is not None and entered.HasField("eligible") else len(met)
    yield Figure("193", "Children eligible", eligible)


def _referrals(material: Material) -> Iterator[Figure]:
    yield _occurrences(material, "194", "Referrals meeting the criteria", FactName.CRITERIA_MET)
    yield _occurrences(material, "195", "Referrals not meeting the criteria", FactName.CRITERIA_NOT_MET)
    reasons = [fact.reason for _, fact in each_fact(material, FactName.NOT_CARRIED_FORWARD)]
    yield counted("196", "Reasons why referrals were not carried forward", reasons)


def _work(material: Material) -> Iterator[Figure]:
    yield _occurrences(material, "197", "Case formulations held", FactName.MEETING_HELD)
    held = [review for case in material.cases for review in case.reviews]
    count = sum(material.period.has(known_day(review.held_on)) for review in held)
    yield Figure("198", "Reviews held", count)


def _endings(material: Material) -> Iterator[Figure]:
    closed = [(case.child_id, fact.reason) for case, fact in each_fact(material, FactName.CASE_CLOSED)]
    ordered = {child for child, reason in closed if reason == "order-ended"}
    ordered |= _children(material, OutcomeKind.OUTCOME_KIND_ORDER_COMPLETED)
    yield Figure("199", "Children completing their order", len(ordered))
    planned = _children(material, OutcomeKind.OUTCOME_KIND_PLAN_COMPLETED)
    planned |= {c.child_id for c in material.cases if c.completed_on and material.period.has(c.completed_on)}
    yield Figure("200", "Children completing their intervention plan", len(planned))
    left = dict.fromkeys(_children(material, OutcomeKind.OUTCOME_KIND_DISENGAGED), "disengaged")
    left |= {child: reason for child, reason in closed if reason in _UNCOMPLETED}
    yield counted("201", "Children disengaged or not completing their order", left.values())


def _offending(material: Material) -> Iterator[Figure]:
    yield _recorded(material, "202", "Warnings issued", OutcomeKind.OUTCOME_KIND_WARNING)
    breaches = sum(len(days_of(c, OutcomeKind.OUTCOME_KIND_BREACH, material.period)) for c in material.cases)
    yield Figure("203", "Breaches", breaches)
    yield from _reoffending(material)
    yield _recorded(material, "205", "Other outcomes recorded", OutcomeKind.OUTCOME_KIND_OTHER)


def _reoffending(material: Material) -> Iterator[Figure]:
    """Persistence, seriousness and gaps (204)."""
    days = [days_of(case, OutcomeKind.OUTCOME_KIND_REOFFENCE, material.period) for case in material.cases]
    yield Figure("204", "Reoffences", sum(map(len, days)))
    yield Figure("204-children", "Cases with a reoffence", sum(1 for found in days if found))
    yield Figure("204-persistence", "Cases with two or more reoffences", sum(1 for found in days if len(found) > 1))
    yield counted("204-seriousness", "Reoffences by gravity score", _gravities(material))
    gaps = (b.toordinal() - a.toordinal() for found in days for a, b in pairwise(found))
    yield Figure("204-gap-days", "Median days between reoffences", median(gaps))


def _gravities(material: Material) -> Iterator[str]:
    for case in material.cases:
        for outcome in outcomes_in(case, OutcomeKind.OUTCOME_KIND_REOFFENCE, material.period):
            yield f"gravity-{outcome.gravity}" if outcome.gravity else "gravity-not-said"


def _occurrences(material: Material, item: str, title: str, name: FactName) -> Figure:
    return Figure(item, title, sum(1 for _ in each_fact(material, name)))


def _recorded(material: Material, item: str, title: str, kind: "OutcomeKind.ValueType") -> Figure:
    return Figure(item, title, sum(len(outcomes_in(case, kind, material.period)) for case in material.cases))


def _children(material: Material, kind: "OutcomeKind.ValueType") -> set[UUID]:
    return {case.child_id for case in material.cases if outcomes_in(case, kind, material.period)}
