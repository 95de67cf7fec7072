"""Calendar dates of the region: that they exist, that they are past, and ages (checklist 35, 124, 150)."""

from datetime import date

from ecm.api.common.v1.values_pb2 import Date, PartialDate
from ecm.referrals.model.refusals import invalid

EARLIEST_YEAR, LATEST_YEAR = 1900, 2200


def to_date(value: Date, field: str) -> date:
    """The calendar day; INVALID_VALUE where there is no such day, or its year is outside 1900 to 2200."""
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        raise invalid(field, f"the year must be {EARLIEST_YEAR} to {LATEST_YEAR}.")
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        raise invalid(field, "there is no such day.") from None


def past_date(value: Date, field: str, today: date) -> date:
    """The calendar day; INVALID_VALUE also where it is after `today`, the region's."""
    day = to_date(value, field)
    if day > today:
        raise invalid(field, "lies in the future.")
    return day


def of_date(day: date) -> Date:
    """The day as a message."""
    return Date(year=day.year, month=day.month, day=day.day)


def age_on(born: date, day: date) -> int:
    """Whole years. Who was born on 29 February turns a year older on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def earliest(value: PartialDate, field: str) -> date:
    """The first day that a partial date may mean. INVALID_VALUE for a day without month, or one that doesn't exist."""
    if value.day and not value.month:
        raise invalid(field, "a day needs its month.")
    return to_date(Date(year=value.year, month=value.month or 1, day=value.day or 1), field)


def check_partial(value: PartialDate, field: str, today: date) -> None:
    """INVALID_VALUE where the partial date doesn't exist or lies wholly in the future."""
    if earliest(value, field) > today:
        raise invalid(field, "lies in the future.")


def precedes(earlier: PartialDate, later: PartialDate) -> bool:
    """Whether `earlier` may be before or at `later`, compared only as precisely as both are known."""
    left, right = ((d.year, d.month, d.day) for d in (earlier, later))
    for a, b in zip(left, right, strict=True):
        if not a or not b:
            return True
        if a != b:
            return a < b
    return True
