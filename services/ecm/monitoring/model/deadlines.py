"""Deadlines: the report's draft, and the reviews that were agreed (checklist 168, 169, 187, 235 to 241)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from ecm.api.monitoring.v1.monitoring_records_pb2 import Review
from ecm.monitoring.model.days import known_day, months_after
from ecm.monitoring.model.facts import Fact, FactName


@dataclass(frozen=True, slots=True)
class Due:
    """One deadline. `kind` is report-draft or review; `working` says in plain words how it was computed."""

    kind: str
    due_on: date
    met_on: date | None
    working: str

    def overdue(self, today: date) -> bool:
        """Past, and not met."""
        return self.met_on is None and self.due_on < today

    @property
    def in_time(self) -> bool:
        """Met, and not late."""
        return self.met_on is not None and self.met_on <= self.due_on


def deadlines(facts: Sequence[Fact], reviews: Sequence[Review], months: int) -> list[Due]:
    """A case's deadlines, earliest first."""
    found = [*report_deadlines(facts, months), *_review_deadlines(facts, reviews)]
    return sorted(found, key=lambda due: (due.due_on, due.kind))


def report_deadlines(facts: Sequence[Fact], months: int) -> Iterable[Due]:
    """One per meeting held: its draft is due so many calendar months later (168; it is the draft that is due: 169)."""
    for meeting in (fact for fact in facts if fact.name is FactName.MEETING_HELD):
        due = months_after(meeting.on, months)
        drafted = [f.on for f in facts if f.name is FactName.REPORT_DRAFTED and f.meeting_id == meeting.meeting_id]
        yield Due("report-draft", due, min(drafted, default=None), _report_working(meeting.on, due, months))


def _review_deadlines(facts: Sequence[Fact], reviews: Sequence[Review]) -> Iterable[Due]:
    held = sorted(known_day(review.held_on) for review in reviews)
    for set_on, due, where in _planned(facts, reviews):
        met = next((day for day in held if day > set_on), None)
        yield Due("review", due, met, f"{where} on {set_on} agreed a review by {due}.")


def _planned(facts: Iterable[Fact], reviews: Iterable[Review]) -> Iterable[tuple[date, date, str]]:
    for fact in facts:
        if fact.name is FactName.REVIEW_PLANNED and fact.due is not None:
            yield fact.on, fact.due, "The formulation meeting"
    for review in reviews:
        if review.HasField("next_review_on"):
            yield known_day(review.held_on), known_day(review.next_review_on), "The review"


def _report_working(held_on: date, due: date, months: int) -> str:
    words = f"Meeting held on {held_on}; {months} calendar month{'' if months == 1 else 's'} later is {due}"
    return f"{words}, the last day of that month." if due.day < held_on.day else f"{words}."
