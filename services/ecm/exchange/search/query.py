"""A search request, read: filters, result parameters, and what couldn't be served.

https://hl7.org/fhir/R4/search.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ecm.exchange.search.dates import Span, parse
from ecm.exchange.search.parameters import SERVED, Kind, Parameter, find
from ecm.kit.errors import DomainError, Reason

DEFAULT_COUNT = 20
LARGEST_COUNT = 200
MOST_VALUES = 50
MOST_IN_ALL = 100
"""Of all parameters together: each costs something of each resource that is found."""
PREFIXES = ("eq", "ne", "lt", "gt", "le", "ge", "sa", "eb")

_SPLIT = {separator: re.compile(rf"(?<!\\){re.escape(separator)}") for separator in ",|"}
# PostgreSQL has no NUL in its texts, and no code has any of the others.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Longer ones are no counts, and Python refuses to read the longest.
_COUNT = re.compile(r"[0-9]{1,9}")
# Parameters of the HTTP layer, not of the search.
_ELSEWHERE = frozenset({"_format"})


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`code`, `system|code`, `|code` (system "") and `system|` (code None)."""

    code: str | None
    # None: any system.
    system: str | None


@dataclass(frozen=True, slots=True)
class DateValue:
    """A prefix and the span that the value covers."""

    prefix: str
    span: Span


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """An id, and its type unless any will do."""

    id: str
    type: str = ""


Value = TokenValue | DateValue | ReferenceValue


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter: its values are alternatives. A repeated parameter is a filter of its own."""

    parameter: Parameter
    values: tuple[Value, ...]


@dataclass(slots=True)
class Search:
    """What a type search asks for; whole once `read_search` has read it."""

    type: str
    filters: tuple[Filter, ...] = ()
    count: int = DEFAULT_COUNT
    # Only the total is wanted.
    only_total: bool = False
    total: bool = True
    # As they go into the self link: what was served, in the order given.
    served: tuple[tuple[str, str], ...] = ()
    # Names that aren't served.
    unknown: tuple[str, ...] = field(default=())


def read_search(resource_type: str, pairs: Sequence[tuple[str, str]], base: str) -> Search:
    """The search that the pairs (name, value) write.

    Unknown names are kept in `unknown`, whoever answers decides. Raises DomainError:
    NOT_SUPPORTED for a modifier or prefix, INVALID_VALUE for a value that can't be read.
    """
    search = Search(resource_type)
    for name, value in pairs:
        if name in _ELSEWHERE:
            continue
        _read(search, name, value, base)
    if sum(len(one.values) for one in search.filters) > MOST_IN_ALL:
        raise DomainError(Reason.TOO_LARGE, f"At most {MOST_IN_ALL} values; search in several requests.")
    return search


def _read(search: Search, name: str, value: str, base: str) -> None:
    result = _RESULT.get(name)
    if result is not None:
        result(search, value)
    else:
        code, colon, modifier = name.partition(":")
        parameter = find(search.type, code)
        if parameter is None:
            search.unknown += (name,)
            return
        made = Filter(parameter, _values(parameter, modifier if colon else None, value, base))
        if made not in search.filters:
            search.filters += (made,)
    search.served += ((name, value),)


def read_count(value: str) -> int:
    """`_count` as it is served, at most LARGEST_COUNT. Raises INVALID_VALUE."""
    if not _COUNT.fullmatch(value):
        raise DomainError(Reason.INVALID_VALUE, "_count is a whole number, 0 or more.", field="_count")
    return min(int(value), LARGEST_COUNT)


def _count(search: Search, value: str) -> None:
    search.count = read_count(value)
    search.only_total = search.only_total or search.count == 0


def _total(search: Search, value: str) -> None:
    if value not in ("none", "estimate", "accurate"):
        raise DomainError(Reason.INVALID_VALUE, "_total is none, estimate or accurate.", field="_total")
    search.total = value != "none"


def _summary(search: Search, value: str) -> None:
    if value not in ("count", "false"):
        raise DomainError(Reason.NOT_SUPPORTED, "_summary is served as count or false alone.", field="_summary")
    search.only_total = search.only_total or value == "count"


_RESULT = {"_count": _count, "_total": _total, "_summary": _summary}
RESULT_PARAMETERS = tuple(_RESULT)


def _values(parameter: Parameter, modifier: str | None, text: str, base: str) -> tuple[Value, ...]:
    if modifier is not None and not (parameter.kind is Kind.REFERENCE and modifier in SERVED):
        raise DomainError(
            Reason.NOT_SUPPORTED, f"{parameter.code} takes no modifier of that kind.", field=parameter.code
        )
    parts = _SPLIT[","].split(text)
    if len(parts) > MOST_VALUES:
        raise DomainError(Reason.TOO_LARGE, f"At most {MOST_VALUES} alternatives.", field=parameter.code)
    return tuple(dict.fromkeys(_value(parameter, modifier or "", part, base) for part in parts))


def _value(parameter: Parameter, modifier: str, text: str, base: str) -> Value:
    if not text.strip():
        raise DomainError(Reason.INVALID_VALUE, f"{parameter.code} has an empty value.", field=parameter.code)
    if _CONTROL.search(text):
        raise DomainError(Reason.INVALID_VALUE, f"{parameter.code} holds a control character.", field=parameter.code)
    match parameter.kind:
        case Kind.TOKEN:
            return _token(text)
        case Kind.DATE:
            return _date(parameter.code, text)
        case Kind.REFERENCE:
            return _reference(text, parameter.target or modifier, base)


def _token(text: str) -> TokenValue:
    parts = [_plain(part) for part in _SPLIT["|"].split(text, maxsplit=1)]
    if len(parts) == 1:
        return TokenValue(parts[0], None)
    return TokenValue(parts[1] or None, parts[0])


def _date(code: str, text: str) -> DateValue:
    prefix = text[:2] if text[:1].isalpha() else ""
    if prefix and prefix not in PREFIXES:
        raise DomainError(Reason.NOT_SUPPORTED, f"{code} takes the prefixes {', '.join(PREFIXES)}.", field=code)
    try:
        # A form turns the + of a zone into a blank.
        return DateValue(prefix or "eq", parse(text[len(prefix) :].replace(" ", "+")))
    except (ValueError, OverflowError):
        raise DomainError(Reason.INVALID_VALUE, f"{code} isn't a date, e.g. ge2026-03-01.", field=code) from None


def _reference(text: str, wanted: str, base: str) -> ReferenceValue:
    """`id`, `Type/id` or an absolute URL of our base; any other URL finds what refers to it literally."""
    plain = _plain(text).removeprefix(f"{base}/")
    kind, slash, target = plain.rpartition("/")
    if not slash:
        return ReferenceValue(plain, wanted)
    if kind not in SERVED or (wanted and kind != wanted):
        return ReferenceValue(plain, "?")
    return ReferenceValue(target, kind)


def _plain(text: str) -> str:
    return re.sub(r"\\([,|$\\])", r"\1", text)


def as_uuid(text: str) -> UUID | None:
    """The id as a UUID; None where it can't be one of ours."""
    try:
        return UUID(text)
    except ValueError:
        return None
