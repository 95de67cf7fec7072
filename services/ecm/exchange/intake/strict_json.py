"""JSON as FHIR wants it and parsers seldom insist on: https://hl7.org/fhir/R4/json.html

No duplicate names, no nulls, nothing empty, no NaN, bounded depth and size; a
decimal stays as it was written.
"""

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any, NoReturn

from ecm.exchange.search.parameters import SERVED
from ecm.kit.errors import DomainError, Reason

Json = dict[str, Any]
LARGEST_BYTES = 12 * 1024 * 1024
DEEPEST = 32
MOST_BRACKETS = 20_000
MOST_TOKENS = 300_000
LONGEST_NUMBER = 40
LARGEST_EXPONENT = 999

# Possessive, and a string that doesn't end goes on to the end: in time that grows with the body, whatever is in it.
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]', re.DOTALL)
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def parse(body: bytes) -> Json:
    """The JSON object in the body. MALFORMED_JSON says what is wrong; TOO_LARGE for more than 12 MiB."""
    if len(body) > LARGEST_BYTES:
        raise too_large()
    _check_nesting(body)
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise malformed("The body isn't UTF-8.") from None
    except json.JSONDecodeError as error:
        raise malformed(f"The body isn't JSON: line {error.lineno}, column {error.colno}.") from None
    if not isinstance(value, dict):
        raise malformed("The body is a JSON object.")
    kind = value.get("resourceType", "")
    _check_values(value, kind if kind in SERVED else "?")
    return value


def malformed(message: str, field: str = "") -> DomainError:
    """MALFORMED_JSON."""
    return DomainError(Reason.MALFORMED_JSON, message, field=field)


def too_large() -> DomainError:
    """TOO_LARGE, of a body."""
    return DomainError(Reason.TOO_LARGE, f"A body has at most {LARGEST_BYTES // 1024 // 1024} MiB.")


def _check_nesting(body: bytes) -> None:
    """Before any parser recurses or collects: depth, and how many pieces there are."""
    depth = brackets = 0
    for tokens, token in enumerate(_TOKENS.finditer(body)):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            brackets += 1
        elif first in b"]}":
            depth -= 1
        if depth > DEEPEST:
            raise malformed(f"The body is nested deeper than {DEEPEST}.")
        if brackets > MOST_BRACKETS or tokens > MOST_TOKENS:
            raise malformed(f"The body has more than {MOST_BRACKETS} objects and arrays, or {MOST_TOKENS} pieces.")


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        # A name comes from outside: at most as much of it as any element of FHIR has.
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0][:64]
        raise malformed(f"{twice!a} stands there twice in one object.")
    return found


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise malformed("A number is longer than any that FHIR needs.")
    exponent = text.lower().partition("e")[2].lstrip("+-0")
    # Read as an int it would have as many digits.
    if len(exponent) > len(str(LARGEST_EXPONENT)):
        raise malformed("A number is larger, or nearer to nothing, than any that FHIR needs.")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise malformed("A number is longer than any that FHIR needs.")
    return int(text)


def _constant(_: str) -> NoReturn:
    raise malformed("NaN and Infinity aren't JSON.")


def _check_values(value: Any, path: str) -> None:
    """Nothing empty and no nulls: https://hl7.org/fhir/R4/json.html#null"""
    if isinstance(value, dict):
        _check_some(value, path)
        for name, inner in value.items():
            _check_values(inner, f"{path}.{_named(name)}")
    elif isinstance(value, list):
        _check_some(value, path)
        for n, inner in enumerate(value):
            _check_values(inner, f"{path}[{n}]")
    elif isinstance(value, str):
        _check_string(value, path)
    elif value is None:
        raise malformed("A null stands where FHIR knows none.", path)


def _named(name: str) -> str:
    """As far as it is a name: what stands in its place could be anything, and paths are told."""
    return name if _NAME.fullmatch(name) else "?"


def _check_some(value: dict[str, Any] | list[Any], path: str) -> None:
    if not value:
        raise malformed("FHIR knows no empty object and no empty array.", path)


def _check_string(value: str, path: str) -> None:
    if not value.strip():
        raise malformed("FHIR knows no empty string.", path)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise malformed("A string holds half of a surrogate pair.", path) from None
    if _CONTROL.search(value):
        raise malformed("A string holds a control character.", path)
