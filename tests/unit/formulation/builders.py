"""Small builders and Hypothesis strategies: invented meetings, entries, drafts."""

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.api.common.v1.values_pb2 import Document, FreeText, PartialDate, PartialPeriod
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.formulation.model.authors import HCPC
from ecm.formulation.model.periods import earliest, latest
from ecm.kit.auth.principal import Principal, PrincipalKind
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region, load_region

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()
BORN = date(2012, 1, 17)
PDF = Document(content_type="application/pdf", content=b"%PDF-1.7 invented")
PSYCHOLOGIST = AssertedPractitioner(id="psychologist-1", registration_system=HCPC, registration="PYL00001")


@cache
def region() -> Region:
    """The example region."""
    return load_region(Path(__file__).parents[3] / "deploy" / "regions" / "example" / "region.yaml")


def partner(client: str = "nhs-psychology", practitioner: str = "psychologist-1") -> Principal:
    return Principal(PrincipalKind.PARTNER, client, agency=client, client=client, practitioner=practitioner)


def stamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


def day(year: int, month: int = 0, day_: int = 0) -> PartialDate:
    return PartialDate(year=year, month=month, day=day_)


def point(year: int, month: int = 0, day_: int = 0, written: str = "") -> PartialPeriod:
    return PartialPeriod(start=day(year, month, day_), as_written=written)


def span(start: PartialDate | None, end: PartialDate | None, written: str = "") -> PartialPeriod:
    return PartialPeriod(start=start, end=end, span=True, as_written=written)


def entry(text: str, period: PartialPeriod, **more: Any) -> records.TimelineEntry:
    values: dict[str, Any] = {
        "kind": records.TIMELINE_KIND_OTHER,
        "certainty": records.CERTAINTY_KNOWN,
        "contributed_by_agency": "la-eastvale",
    }
    return records.TimelineEntry(text=FreeText(text=text), period=period, **{**values, **more})


def reason_of(error: Exception | None) -> Reason | None:
    return error.reason if isinstance(error, DomainError) else None


@st.composite
def partial_dates(draw: st.DrawFn, first: int = 1985, last: int = 2026) -> PartialDate:
    """A year, a month of it, or a day of it."""
    found = draw(st.dates(date(first, 1, 1), date(last, 12, 31)))
    precision = draw(st.sampled_from(["year", "month", "day"]))
    return day(found.year, found.month * (precision != "year"), found.day * (precision == "day"))


@st.composite
def periods(draw: st.DrawFn) -> PartialPeriod:
    """A point or a span, ends open or not, in an order that can be."""
    written = draw(st.one_of(st.just(""), st.sampled_from(["20/11-18/12", "’89 to ’01", "Sept. - July"])))
    start = draw(partial_dates())
    if not draw(st.booleans()):
        return PartialPeriod(start=start, as_written=written)
    end = draw(st.none() | partial_dates().filter(lambda end: latest(end) >= earliest(start)))
    return span(None if draw(st.booleans()) else start, end, written)


@st.composite
def entries(draw: st.DrawFn) -> records.TimelineEntry:
    """Any entry that the model lets in, with any text."""
    text = draw(st.text(min_size=1, max_size=200))
    certainty = draw(st.sampled_from([records.CERTAINTY_KNOWN, records.CERTAINTY_SUSPECTED]))
    return entry(text, draw(periods()), kind=draw(st.integers(1, 16)), certainty=certainty)
