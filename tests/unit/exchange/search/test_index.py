"""Index rows: what a resource is found by."""

from datetime import UTC, datetime

import pytest

from ecm.exchange.search.dates import AFTER_ALL, BEFORE_ALL, parse, span_of
from ecm.exchange.search.index import index_rows


def _day(year: int, month: int = 1, day: int = 1, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "lo", "hi"),
    [
        ("2026", _day(2026), _day(2027)),
        ("2026-12", _day(2026, 12), _day(2027)),
        ("2026-02-28", _day(2026, 2, 28), _day(2026, 3)),
        ("2026-07-01T01:00:00+01:00", _day(2026, 7), _day(2026, 7).replace(second=1)),
        ("2026-07-01T00:00Z", _day(2026, 7), _day(2026, 7).replace(minute=1)),
        (
            "2026-07-01T00:00:00.25Z",
            _day(2026, 7).replace(microsecond=250000),
            _day(2026, 7).replace(microsecond=260000),
        ),
    ],
)
def test_a_date_is_as_wide_as_it_is_imprecise(text: str, lo: datetime, hi: datetime) -> None:
    span = parse(text)
    assert (span.lo, span.hi) == (lo, hi)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-1-1", "now", "2026-01-01T25:00:00Z", "２０２６"]
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)
    assert span_of(text) is None


def test_periods_may_be_open() -> None:
    assert span_of({"start": "2026-03"}).hi == AFTER_ALL
    assert span_of({"end": "2026-03"}).lo == BEFORE_ALL
    assert span_of({}) is None


def test_observation() -> None:
    rows = index_rows(
        {
            "resourceType": "Observation",
            "identifier": [{"system": "urn:a", "value": "1"}, {"value": "2"}],
            "status": "final",
            "code": {"coding": [{"system": "urn:c", "code": "x"}, {"code": "y"}], "text": "never indexed"},
            "subject": {"reference": "Patient/p1"},
            "effectivePeriod": {"start": "2026-01-01"},
        }
    )
    assert set(rows.tokens) == {
        ("identifier", "urn:a", "1"),
        ("identifier", "", "2"),
        ("status", "", "final"),
        ("code", "urn:c", "x"),
        ("code", "", "y"),
    }
    assert rows.references == [("patient", "Patient", "p1"), ("subject", "Patient", "p1")]
    assert rows.dates == [("date", _day(2026), AFTER_ALL)]


def test_references_of_other_types_and_places() -> None:
    task = {"resourceType": "Task", "for": {"reference": "RelatedPerson/r1"}}
    assert index_rows(task).references == [("subject", "RelatedPerson", "r1")]
    elsewhere = {"resourceType": "Task", "for": {"reference": "http://elsewhere.invalid/Patient/1"}}
    assert index_rows(elsewhere).references == [("subject", "", "http://elsewhere.invalid/Patient/1")]
    logical = {"resourceType": "Task", "for": {"identifier": {"value": "1"}}}
    assert index_rows(logical).references == []


def test_what_is_not_served_has_no_rows() -> None:
    assert index_rows({"resourceType": "Account", "status": "active"}).tokens == []
