"""Calendar days of the region: ages, first and last days, and the instants they stand for."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ecm.api.common.v1 import values_pb2
from ecm.kit.errors import DomainError, Reason


def day_of(value: values_pb2.Date, field: str) -> date:
    """The day that the message writes; MISSING_VALUE where it is empty, INVALID_VALUE where there is no such day."""
    if value == values_pb2.Date():
        raise DomainError(Reason.MISSING_VALUE, f"{field} is missing.", field=field)
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        raise DomainError(Reason.INVALID_VALUE, f"{field} isn't a day of the calendar.", field=field) from None


def in_words(day: date) -> str:
    """As people write it, e.g. 3 March 2026."""
    return f"{day.day} {day:%B %Y}"


def age_on(birth: date, day: date) -> int:
    """Whole years on that day (checklist 124); who was born on 29 February ages on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the day begins in the region."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the day is over: "until 12 March" includes the whole of the 12th."""
    return start_of(day + timedelta(days=1), zone)


def birthday(birth: date, age: int) -> date:
    """The day on which somebody reaches that age."""
    try:
        return birth.replace(year=birth.year + age)
    except ValueError:
        return date(birth.year + age, 3, 1)
