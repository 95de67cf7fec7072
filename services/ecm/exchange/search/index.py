"""Index rows of a resource, as the registry says: pure, so that the projection writes them with the bytes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecm.exchange.search.dates import Span, span_of
from ecm.exchange.search.parameters import REGISTRY, Kind, Parameter


@dataclass(frozen=True, slots=True)
class IndexRows:
    """Rows for `search_token` (param, system, code), `search_date` (param, lo, hi), `search_reference`
    (param, target_type, target_id) and `search_string` (param, value), without `resource_pk`."""

    tokens: list[tuple[str, str, str]] = field(default_factory=list)
    dates: list[tuple[str, Any, Any]] = field(default_factory=list)
    references: list[tuple[str, str, str]] = field(default_factory=list)
    strings: list[tuple[str, str]] = field(default_factory=list)


def index_rows(resource: Mapping[str, Any]) -> IndexRows:
    """What every parameter of the resource's type finds in it; nothing for a type that isn't served."""
    rows = IndexRows()
    for parameter in REGISTRY.get(str(resource.get("resourceType")), ()):
        for value in _values(resource, parameter.paths):
            _add(rows, parameter, value)
    return IndexRows(_once(rows.tokens), _once(rows.dates), _once(rows.references), _once(rows.strings))


def _once(rows: list[Any]) -> list[Any]:
    return list(dict.fromkeys(rows))


def _add(rows: IndexRows, parameter: Parameter, value: Any) -> None:
    match parameter.kind:
        case Kind.TOKEN:
            rows.tokens.extend((parameter.code, system, code) for system, code in tokens_of(value))
        case Kind.DATE:
            span: Span | None = span_of(value)
            if span is not None:
                rows.dates.append((parameter.code, span.lo, span.hi))
        case Kind.REFERENCE:
            target = reference_of(value)
            if target is not None and parameter.target in ("", target[0]):
                rows.references.append((parameter.code, *target))


def _values(node: Any, paths: Sequence[str]) -> Iterator[Any]:
    for path in paths:
        yield from _at(node, path.split("."))


def _at(node: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _at(item, path)
    elif not path:
        yield node
    elif isinstance(node, Mapping) and path[0] in node:
        yield from _at(node[path[0]], path[1:])


def tokens_of(value: Any) -> Iterator[tuple[str, str]]:
    """(system, code) of a code, boolean, Coding, CodeableConcept or Identifier; system "" where there is none."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str):
        yield "", value
    elif isinstance(value, Mapping):
        for coding in value.get("coding", ()):
            yield from tokens_of(coding)
        code = value.get("code") or value.get("value")
        if isinstance(code, str):
            yield str(value.get("system", "")), code


def reference_of(value: Any) -> tuple[str, str] | None:
    """(type, id) of a Reference: relative as ("Patient", id), any other as ("", its text)."""
    text = value.get("reference") if isinstance(value, Mapping) else None
    if not isinstance(text, str) or text.startswith("#"):
        return None
    kind, slash, target = text.partition("/")
    return (kind, target.split("/")[0]) if slash and kind in REGISTRY else ("", text)
