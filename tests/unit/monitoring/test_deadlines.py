"""Deadlines and how they were computed (checklist 168, 169, 187, 239)."""

from datetime import date

from ecm.monitoring.model.days import wire
from ecm.monitoring.model.deadlines import deadlines
from ecm.monitoring.model.facts import Fact, FactName
from unit.monitoring.builders import TODAY, drafted, meeting, review


def test_a_draft_is_due_a_calendar_month_after_the_meeting() -> None:
    (due,) = deadlines([meeting(date(2026, 1, 31))], [], 1)
    assert (due.kind, due.due_on, due.met_on) == ("report-draft", date(2026, 2, 28), None)
    assert (
        due.working == "Meeting held on 2026-01-31; 1 calendar month later is 2026-02-28, the last day of that month."
    )
    assert due.overdue(TODAY)
    assert not due.overdue(date(2026, 2, 28))


def test_the_region_decides_how_many_months() -> None:
    (due,) = deadlines([meeting(date(2026, 1, 31))], [], 3)
    assert due.due_on == date(2026, 4, 30)


def test_a_late_draft_is_met_and_not_in_time() -> None:
    (due,) = deadlines([meeting(date(2026, 1, 15)), drafted(date(2026, 2, 16))], [], 1)
    assert due.met_on == date(2026, 2, 16)
    assert not due.in_time
    assert not due.overdue(TODAY)


def test_another_meetings_draft_doesnt_meet_it() -> None:
    (due,) = deadlines([meeting(date(2026, 1, 15)), drafted(date(2026, 1, 16), "meeting-2")], [], 1)
    assert due.met_on is None


def test_reviews_are_due_as_agreed_and_met_by_the_next_one() -> None:
    planned = Fact(FactName.REVIEW_PLANNED, date(2026, 6, 1), due=date(2026, 9, 1))
    first = review(date(2026, 9, 3), next_review_on=wire(date(2026, 12, 1)))
    found = [(due.due_on, due.met_on) for due in deadlines([planned], [first], 1)]
    assert found == [(date(2026, 9, 1), date(2026, 9, 3)), (date(2026, 12, 1), None)]
