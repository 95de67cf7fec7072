"""FHIR dates as half-open spans of instants: "2026-03" is [1 March, 1 April).

https://hl7.org/fhir/R4/datatypes.html#dateTime. A date without a zone is read in
UTC, in the index and in queries alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

_FORM = re.compile(
    r"^(?P<y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2})"
    r"(?:T(?P<H>\d{2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.(?P<f>\d{1,9}))?)?(?P<z>Z|[+-]\d{2}:\d{2})?)?)?)?$",
    re.ASCII,
)
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
LAST_YEAR = 9999
AFTER_ALL = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """lo <= instant < hi; the extremes of `datetime` stand for an end that is open (asyncpg: ±infinity)."""

    lo: datetime
    hi: datetime


def parse(text: str) -> Span:
    """The span of a date, dateTime or instant, as wide as it is imprecise. ValueError where it is none."""
    match = _FORM.match(text)
    if match is None:
        raise ValueError("not a FHIR date")
    if match["m"] is None:
        year = int(match["y"])
        return Span(_at(year), _at(year + 1) if year < LAST_YEAR else AFTER_ALL)
    if match["d"] is None:
        year, month = int(match["y"]), int(match["m"])
        return Span(_at(year, month), _at(year + month // 12, month % 12 + 1))
    lo = _instant(match)
    return Span(lo, lo + _precision(match))


def span_of(value: Any) -> Span | None:
    """The span of an element: a date in any precision or a Period. None where it holds no usable date."""
    try:
        if isinstance(value, str):
            return parse(value)
        if isinstance(value, Mapping) and (value.get("start") or value.get("end")):
            lo = parse(value["start"]).lo if value.get("start") else BEFORE_ALL
            hi = parse(value["end"]).hi if value.get("end") else AFTER_ALL
            return Span(lo, hi)
    except (ValueError, TypeError, OverflowError):
        pass
    return None


def _at(year: int, month: int = 1) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


def _instant(match: re.Match[str]) -> datetime:
    day = (int(match["y"]), int(match["m"]), int(match["d"]))
    if match["H"] is None:
        return datetime(*day, tzinfo=UTC)
    micro = int((match["f"] or "").ljust(6, "0")[:6])
    clock = (int(match["H"]), int(match["M"]), min(int(match["S"] or 0), 59), micro)
    return datetime(*day, *clock, tzinfo=_zone(match["z"])).astimezone(UTC)


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    hours, minutes = int(str(text)[1:3]), int(str(text)[4:6])
    sign = -1 if str(text)[0] == "-" else 1
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


def _precision(match: re.Match[str]) -> timedelta:
    if match["H"] is None:
        return timedelta(days=1)
    if match["S"] is None:
        return timedelta(minutes=1)
    return timedelta(microseconds=10 ** max(6 - len(match["f"]), 0)) if match["f"] else timedelta(seconds=1)
