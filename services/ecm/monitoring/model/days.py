"""Calendar days: from and to the wire, and months after one."""

import calendar
from datetime import date, datetime
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.common.v1.values_pb2 import Date
from ecm.kit.errors import DomainError, Reason

_MONTHS_IN_YEAR = 12
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def day(value: Date, field: str) -> date:
    """The day that `value` names; MISSING_VALUE where it is empty, INVALID_VALUE where no calendar has it."""
    if not value.year:
        raise DomainError(Reason.MISSING_VALUE, f"{field} is required.", field=field)
    try:
        found = date(value.year, value.month, value.day)
    except ValueError:
        raise DomainError(Reason.INVALID_VALUE, f"{field} isn't a day of the calendar.", field=field) from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise DomainError(Reason.INVALID_VALUE, f"{field} lies outside {_FIRST_YEAR} to {_LAST_YEAR}.", field=field)
    return found


def past_day(value: Date, field: str, today: date) -> date:
    """A day that has come already; INVALID_VALUE for a later one."""
    found = day(value, field)
    if found > today:
        raise DomainError(Reason.INVALID_VALUE, f"{field} lies in the future.", field=field)
    return found


def known_day(value: Date) -> date:
    """The day of a value that was checked when it was stored."""
    return date(value.year, value.month, value.day)


def wire(value: date) -> Date:
    """The day as protobuf."""
    return Date(year=value.year, month=value.month, day=value.day)


def local_day(value: Timestamp, zone: ZoneInfo) -> date:
    """The day of an instant in the region's zone."""
    instant: datetime = value.ToDatetime(tzinfo=ZoneInfo("UTC"))
    return instant.astimezone(zone).date()


def months_after(start: date, months: int) -> date:
    """The same day so many calendar months later, clamped to the month's end (checklist 169)."""
    count = start.month - 1 + months
    year, month = start.year + count // _MONTHS_IN_YEAR, count % _MONTHS_IN_YEAR + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
