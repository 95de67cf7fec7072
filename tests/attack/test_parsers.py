"""Each parser under so many hostile inputs; and each that fell, by name."""

import os
from pathlib import Path

import pytest

from attack import parsers
from ecm.exchange.intake.elements import Element
from ecm.exchange.intake.strict_json import parse
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import RegionError, load_region
from unit.exchange.intake import posted

SEED = int(os.environ.get("SEED", "20"))
COUNTS = {"regions": 400, "writes": 8_000}
COUNT = 4_000


@pytest.mark.parametrize("name", parsers.ATTACKS)
def test_it_answers_or_refuses(name: str) -> None:
    count = COUNTS.get(name, COUNT)
    tally = parsers.run(parsers.ATTACKS[name], count, SEED)
    assert tally.tried == count
    assert len(tally.refused) >= 1, "inputs that are never refused attack nothing"


def test_a_fault_is_seen() -> None:
    """What the above is held against."""

    def falls(random: object) -> None:
        raise KeyError("x")

    with pytest.raises(AssertionError, match="seed 1, input 0: KeyError"):
        parsers.run(falls, 1, 1)

    def tells(random: object) -> None:
        raise DomainError(Reason.INVALID_VALUE, "Zebedee isn't a date.")

    with pytest.raises(AssertionError, match="repeats a value"):
        parsers.run(tells, 1, 1)


def test_a_day_before_all_days_is_refused() -> None:
    """In the region's zone it would be in the year 0: an OverflowError."""
    element = Element({"at": "0001-01-01T00:00:00+14:00"}, "X")
    with pytest.raises(DomainError) as refused:
        element.day("at", posted.region().zone)
    assert refused.value.reason is Reason.INVARIANT


@pytest.mark.parametrize("content", [b"\xff\xfe", b"slug: \xe9", b"[" * 5_000, b"a: !!timestamp x"])
def test_a_region_file_that_isnt_one_is_a_region_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "region.yaml"
    file.write_bytes(content)
    with pytest.raises(RegionError):
        load_region(file)


def test_a_path_tells_names_alone() -> None:
    """What stood where the resource's type should be was told as the first of its path."""
    for body in (b'{"resourceType": {"name": "Zebedee"}, "a": []}', b'{"resourceType": "Zebedee", "a": []}'):
        with pytest.raises(DomainError) as refused:
            parse(body)
        assert (refused.value.field, refused.value.reason) == ("?.a", Reason.MALFORMED_JSON)
