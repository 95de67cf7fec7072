"""Calendar months after a meeting, clamped to the month's end (checklist 169)."""

from datetime import date

import pytest

from ecm.api.common.v1.values_pb2 import Date
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.model.days import day, months_after, past_day


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 2, 28), 1, date(2026, 3, 28)),
    ],
)
def test_months_are_calendar_months(start: date, months: int, due: date) -> None:
    assert months_after(start, months) == due


@pytest.mark.parametrize("value", [Date(year=2026, month=2, day=30), Date(year=1899, month=1, day=1)])
def test_a_day_that_no_calendar_has_is_refused(value: Date) -> None:
    with pytest.raises(DomainError) as refused:
        day(value, "on")
    assert (refused.value.reason, refused.value.field) == (Reason.INVALID_VALUE, "on")


def test_an_empty_day_is_missing() -> None:
    with pytest.raises(DomainError) as refused:
        day(Date(), "on")
    assert refused.value.reason is Reason.MISSING_VALUE


def test_a_past_day_may_be_today_and_not_tomorrow() -> None:
    today = date(2026, 11, 20)
    assert past_day(Date(year=2026, month=11, day=20), "on", today) == today
    with pytest.raises(DomainError):
        past_day(Date(year=2026, month=11, day=21), "on", today)
