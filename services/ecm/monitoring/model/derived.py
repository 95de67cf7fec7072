"""Figures that nobody enters (checklist 208): timeliness of reports, waiting, movement of stage, supervision."""

from collections.abc import Iterator

from ecm.api.monitoring.v1.monitoring_records_pb2 import Supervision
from ecm.monitoring.model.days import known_day
from ecm.monitoring.model.deadlines import Due, report_deadlines
from ecm.monitoring.model.facts import FactName
from ecm.monitoring.model.figures import CaseHistory, Figure, Material, counted, median

_PERCENT = 100


def derived_figures(material: Material) -> Iterator[Figure]:
    """All derived figures, in a fixed order."""
    yield from _reports(material)
    yield _waiting(material, "referral-to-acceptance-days", FactName.REFERRED, FactName.ACCEPTED)
    yield _waiting(material, "acceptance-to-meeting-days", FactName.ACCEPTED, FactName.MEETING_HELD)
    yield counted("stage-movement", "Reviews by movement of stage since formulation", _movements(material))
    kinds = ("group" if session.group else "individual" for session in _sessions(material))
    yield counted("supervision-sessions", "Clinical supervision sessions that took place", kinds)


def _reports(material: Material) -> Iterator[Figure]:
    due = [d for case in material.cases for d in _reports_due(case, material)]
    in_time = sum(d.in_time for d in due)
    yield Figure("report-due", "Reports whose draft fell due in the period", len(due))
    yield Figure("report-within-month", "Of these, drafted in time", in_time)
    share = round(in_time * _PERCENT / len(due)) if due else None
    yield Figure("report-within-month-percent", "Share drafted in time, in percent", share)


def _reports_due(case: CaseHistory, material: Material) -> Iterator[Due]:
    for due in report_deadlines(case.facts, material.report_months):
        if material.period.has(due.due_on):
            yield due


def _waiting(material: Material, item: str, start: FactName, end: FactName) -> Figure:
    """Median days from the last `start` before an `end` of the period to that end."""
    waits = (days for case in material.cases for days in _waits(case, material, start, end))
    return Figure(item, f"Median days, {start} to {end}".replace("-", " "), median(waits))


def _waits(case: CaseHistory, material: Material, start: FactName, end: FactName) -> Iterator[int]:
    for ended in (f.on for f in case.facts if f.name is end and material.period.has(f.on)):
        begun = [f.on for f in case.facts if f.name is start and f.on <= ended]
        if begun:
            yield (ended - max(begun)).days


def _movements(material: Material) -> Iterator[str]:
    for case in material.cases:
        for review in case.reviews:
            if material.period.has(known_day(review.held_on)) and review.stage_at_formulation:
                yield _movement(review.stage_at_formulation, review.stage_at_review)


def _movement(before: int, after: int) -> str:
    if before == after:
        return "same"
    return "higher" if after > before else "lower"


def _sessions(material: Material) -> Iterator[Supervision]:
    return (s for s in material.supervisions if material.period.has(known_day(s.held_on)))
