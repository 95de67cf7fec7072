"""Cursors: opaque, one client's, and not for ever."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from ecm.exchange.search.cursor import LIVES_SECONDS, Cursors
from ecm.kit.errors import DomainError, Reason


@dataclass
class StoppedClock:
    """A clock that a test moves."""

    at: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def boottime(self) -> float:
        return 0.0


def test_a_cursor_is_its_clients_for_a_while() -> None:
    clock = StoppedClock()
    cursors = Cursors(b"k" * 32, clock)
    text = cursors.seal("nhs-psychology", {"pairs": [["identifier", "9990000042"]]})
    assert cursors.open("nhs-psychology", text) == {"pairs": [["identifier", "9990000042"]]}
    for client, changed, key in [
        ("la-eastvale", text, b"k"),
        ("nhs-psychology", text[:5] + ("A" if text[5] != "A" else "B") + text[6:], b"k"),
        ("nhs-psychology", "", b"k"),
        ("nhs-psychology", "ü!", b"k"),
        ("nhs-psychology", text, b"j"),
    ]:
        with pytest.raises(DomainError) as refused:
            Cursors(key * 32, clock).open(client, changed)
        assert refused.value.reason is Reason.CURSOR_INVALID
    clock.at += timedelta(seconds=LIVES_SECONDS)
    with pytest.raises(DomainError):
        cursors.open("nhs-psychology", text)


def test_a_cursor_tells_nothing() -> None:
    text = Cursors(b"k" * 32, StoppedClock()).seal("nhs-psychology", {"value": "9990000042"})
    assert "9990000042" not in text
    assert text != Cursors(b"k" * 32, StoppedClock()).seal("nhs-psychology", {"value": "9990000042"})
