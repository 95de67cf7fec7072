"""Dates as a practitioner writes them, with the precision that is known (checklist 150)."""

from ecm.api.common.v1.values_pb2 import PartialDate, PartialPeriod

MONTHS = ["Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."]


def written(day: PartialDate) -> str:
    """E.g. 2014, Oct. 2014, 3 Oct. 2014."""
    month = MONTHS[day.month - 1] if day.month else ""
    return " ".join(part for part in (str(day.day) if day.day and month else "", month, str(day.year)) if part)


def label(period: PartialPeriod) -> str:
    """As it was written, else from its parts: "Sept. 2014 – July 2015", "since 2009", "until 2011"."""
    if period.as_written.strip():
        return period.as_written
    start = written(period.start) if period.HasField("start") else ""
    end = written(period.end) if period.HasField("end") else ""
    if not period.span:
        return start
    if start and end:
        return f"{start} – {end}"
    if start:
        return f"since {start}"
    return f"until {end}" if end else "throughout"
