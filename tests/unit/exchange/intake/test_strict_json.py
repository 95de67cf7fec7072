"""JSON that parsers let through, and FHIR doesn't."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.exchange.intake.strict_json import LARGEST_BYTES, parse
from ecm.kit.errors import DomainError, Reason

FAULTY = {
    "not JSON": b"{",
    "not an object": b"[1]",
    "nothing": b"",
    "a duplicate name": b'{"status": "final", "status": "amended"}',
    "a duplicate name inside": b'{"a": {"b": 1, "b": 2}}',
    "a duplicate name by escape": b'{"status": "a", "statu\\u0073": "b"}',
    "NaN": b'{"value": NaN}',
    "Infinity": b'{"value": -Infinity}',
    "null": b'{"status": null}',
    "an empty array": b'{"component": []}',
    "an empty object": b'{"code": {}}',
    "an empty string": b'{"status": ""}',
    "blanks": b'{"status": "  "}',
    "a control character": b'{"status": "a\\u0000b"}',
    "half a surrogate pair": b'{"status": "\\ud800"}',
    "Latin-1": '{"status": "é"}'.encode("latin-1"),
    "a byte order mark": b'\xef\xbb\xbf{"status": "final"}',
    "a comment": b'{"a": 1} // why',
    "a second document": b'{"a": 1}{"a": 2}',
    "single quotes": b"{'a': 1}",
    "a long number": b'{"a": ' + b"9" * 5_000 + b"}",
    "a long decimal": b'{"a": 0.' + b"9" * 5_000 + b"}",
    "many arrays": b'{"a": [' + b",".join([b"[1]"] * 30_000) + b"]}",
}


@pytest.mark.parametrize("body", FAULTY.values(), ids=FAULTY.keys())
def test_it_is_refused(body: bytes) -> None:
    with pytest.raises(DomainError) as refused:
        parse(body)
    assert refused.value.reason is Reason.MALFORMED_JSON


@pytest.mark.parametrize("depth", [40, 200_000])
def test_depth_is_bounded(depth: int) -> None:
    with pytest.raises(DomainError) as refused:
        parse(b'{"a": ' + b"[" * depth + b"1" + b"]" * depth + b"}")
    assert refused.value.reason is Reason.MALFORMED_JSON


def test_size_is_bounded() -> None:
    with pytest.raises(DomainError) as refused:
        parse(b'{"a": "' + b"x" * LARGEST_BYTES + b'"}')
    assert refused.value.reason is Reason.TOO_LARGE


def test_decimals_stay_as_they_were_written() -> None:
    assert [str(value) for value in parse(b'{"a": [7.0, 7.50, 0.1]}')["a"]] == ["7.0", "7.50", "0.1"]
    assert parse(b'{"a": 0.1}')["a"] == Decimal("0.1")


def test_brackets_inside_strings_are_no_nesting() -> None:
    text = '[{"' * 5_000
    assert parse(json.dumps({"a": text}).encode())["a"] == text


def test_a_fault_names_the_element_and_no_value() -> None:
    with pytest.raises(DomainError) as refused:
        parse(b'{"resourceType": "Observation", "component": [{"code": null}]}')
    assert refused.value.field == "Observation.component[0].code"


values = st.recursive(
    st.booleans() | st.integers(-(10**9), 10**9) | st.text(min_size=1).filter(lambda t: t.isprintable() and t.strip()),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, min_size=1)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abc", min_size=1), values, min_size=1))
def test_what_is_fine_is_read_as_it_is(value: dict[str, object]) -> None:
    assert parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_parse_or_be_refused(body: bytes) -> None:
    try:
        parse(body)
    except DomainError as refused:
        assert refused.reason is Reason.MALFORMED_JSON


@pytest.mark.parametrize(
    "body",
    [
        b'\\"' * 2_000_000,
        b'{"a":"' + b'"' * 8_000_000,
        b'{"a":[' + b"1," * 4_000_000 + b"1]}",
        b"{" + b",".join(b'"a%d":1' % number for number in range(90_000)) + b',"a89999":1}',
    ],
    ids=["strings that don't end", "quotes", "numbers", "many names, one of them twice"],
)
def test_the_time_grows_with_the_body_alone(body: bytes) -> None:
    """With its square, or with what it says, these took from minutes to days."""
    with pytest.raises(DomainError):
        parse(body)


@pytest.mark.parametrize(
    "number", [b"1e999999999", b"1E+99999999999999999999", b"-1e-1000000000000000000000", b"1e1000"]
)
def test_an_exponent_is_bounded(number: bytes) -> None:
    """Decimal refused some by an error of its own; others were read as an int of so many digits."""
    with pytest.raises(DomainError) as refused:
        parse(b'{"a": ' + number + b"}")
    assert refused.value.reason is Reason.MALFORMED_JSON
    assert parse(b'{"a": 1e0003}') == {"a": Decimal("1e3")}
