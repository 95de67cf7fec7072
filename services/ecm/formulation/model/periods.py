"""Dates as precise as known, and never more (checklist 150, 151)."""

from calendar import monthrange
from datetime import date

from ecm.api.common.v1.values_pb2 import PartialDate, PartialPeriod
from ecm.formulation.model.values import YEARS, check_text, invalid, missing

AS_WRITTEN = 100
DECEMBER = 12


def earliest(day: PartialDate) -> date:
    """The first calendar day that it can be."""
    return date(day.year, day.month or 1, day.day or 1)


def latest(day: PartialDate) -> date:
    """The last calendar day that it can be."""
    month = day.month or DECEMBER
    return date(day.year, month, day.day or monthrange(day.year, month)[1])


def check_partial(day: PartialDate, field: str) -> None:
    """A year, a year and month, or a day that exists. INVALID_VALUE for a day without its month."""
    if day.year not in YEARS:
        raise invalid(f"{field} needs a year from 1900 to 2200.", field)
    if day.day and not day.month:
        raise invalid(f"{field} has a day without a month.", field)
    try:
        earliest(day)
    except ValueError:
        raise invalid(f"{field} isn't a date of the calendar.", field) from None


def check_period(period: PartialPeriod, today: date, field: str = "period") -> None:
    """A point with a date, or a span that ends no earlier than it began, as far as is known.

    A span's start may be absent (before anybody remembers), and its end (it goes on). MISSING_VALUE, INVALID_VALUE.
    """
    check_text(period.as_written, f"{field}.as_written", most=AS_WRITTEN, required=False)
    if period.HasField("start"):
        check_partial(period.start, f"{field}.start")
        if earliest(period.start) > today:
            raise invalid("What hasn't happened yet isn't on the timeline.", f"{field}.start")
    elif not period.span:
        raise missing("A point event needs a date, if only its year.", f"{field}.start")
    if period.HasField("end"):
        _check_end(period, field)


def _check_end(period: PartialPeriod, field: str) -> None:
    check_partial(period.end, f"{field}.end")
    if not period.span:
        raise invalid("A point event has no end; say span for what lasted.", f"{field}.end")
    if period.HasField("start") and latest(period.end) < earliest(period.start):
        raise invalid("It ends before it begins.", f"{field}.end")


def in_order(period: PartialPeriod) -> tuple[date, date]:
    """Sorts periods: earliest beginning first, open beginnings before all."""
    first = earliest(period.start) if period.HasField("start") else date.min
    last = latest(period.end) if period.HasField("end") else first
    return first, last
