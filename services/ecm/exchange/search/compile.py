"""A search as what `disclose()` is asked for: a kind whose statement it holds, or a condition.

A condition's text holds parameter names of the registry and numbers alone; every
value is an element of the arguments.
"""
# ruff: noqa: S608 - fragments of SQL are put together here, values never

from collections.abc import Callable, Sequence

from ecm.exchange.disclosure.asks import Kind as AskKind
from ecm.exchange.disclosure.asks import Page, Released
from ecm.exchange.disclosure.disclose_sql import ARGS
from ecm.exchange.search.dates import AFTER_ALL, BEFORE_ALL
from ecm.exchange.search.parameters import Kind
from ecm.exchange.search.query import DateValue, Filter, ReferenceValue, Search, TokenValue, as_uuid


class _Arguments:
    """Collects values; each becomes an expression of its type."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def add(self, value: str, kind: str = "text") -> str:
        self.values.append(value)
        reference = f"{ARGS}[{len(self.values)}]"
        return reference if kind == "text" else f"{reference}::{kind}"


def compile_search(search: Search, after: tuple[str, str] | None = None) -> Page:
    """The page of a type search behind `after` (type, id)."""
    limit, total = 0 if search.only_total else search.count, search.total or search.only_total
    held = _held(search)
    if held is not None:
        kind, values = held
        return Page(kind, values, "", after, limit, total)
    args = _Arguments()
    conditions = [f"r.type = {args.add(search.type)}", *(_filter(one, args) for one in search.filters)]
    return Page("query", tuple(args.values), " AND ".join(conditions), after, limit, total)


def _held(search: Search) -> tuple[AskKind, tuple[str | None, ...]] | None:
    """Kind and arguments of a search by one reference or one token, if it is one."""
    match search.filters:
        case (Filter(parameter, (ReferenceValue(target, kind),)),) if kind not in ("", "?"):
            return "reference", (search.type, parameter.code, target, kind)
        case (Filter(parameter, (TokenValue(str() as code, system),)),) if parameter.code != "_id":
            return "token", (search.type, parameter.code, code, system)
    return None


def compile_everything(
    patient: str, types: tuple[str, ...], since: DateValue | None, count: int, after: tuple[str, str] | None = None
) -> Page:
    """A page of a child's resources of these types: by the system's own child column, never the R4 compartment.

    Nothing, where the Patient itself can't be seen.
    """
    instant = None if since is None else _text(since.span.lo)
    return Page("everything", (patient, " ".join(types), instant), "", after, count)


def compile_again(resources: Sequence[Released]) -> Page:
    """Which of these versions are open still, in the view that they were released in; without their bytes."""
    versions = dict.fromkeys(tuple(one.name.split("/")) for one in resources)
    return Page("again", tuple(" ".join(column) for column in zip(*versions, strict=True)))


def _filter(one: Filter, args: _Arguments) -> str:
    code = one.parameter.code
    if code == "_id":
        return _ids(one, args)
    if code == "_lastUpdated":
        return _any([_compare(v, "r.last_updated", "r.last_updated", args) for v in one.values])  # type: ignore[arg-type]
    table, condition = _TABLES[one.parameter.kind]
    values = _any([condition(value, args) for value in one.values])
    return f"r.pk IN (SELECT t.resource_pk FROM {table} t WHERE t.param = '{code}' AND {values})"


def _any(alternatives: list[str]) -> str:
    return f"({' OR '.join(alternatives)})"


def _ids(one: Filter, args: _Arguments) -> str:
    """A text that isn't a UUID can't be one of our ids: it finds nothing."""
    texts = [value.code or "" for value in one.values if isinstance(value, TokenValue)]
    known = [found for found in map(as_uuid, texts) if found is not None]
    return f"r.id = ANY(string_to_array({args.add(' '.join(map(str, known)))}, ' ')::uuid[])"


def _token(value: TokenValue, args: _Arguments) -> str:
    parts = []
    if value.code is not None:
        parts.append(f"t.code = {args.add(value.code)}")
    if value.system is not None:
        parts.append(f"t.system = {args.add(value.system)}")
    return f"({' AND '.join(parts) or 'false'})"


def _reference(value: ReferenceValue, args: _Arguments) -> str:
    identity = f"t.target_id = {args.add(value.id)}"
    if value.type == "?":
        return f"({identity} AND t.target_type = '')"
    return f"({identity} AND t.target_type = {args.add(value.type)})" if value.type else f"({identity})"


def _date(value: DateValue, args: _Arguments) -> str:
    return _compare(value, "t.lo", "t.hi", args)


def _compare(value: DateValue, lo: str, hi: str, args: _Arguments) -> str:
    """R4's comparisons of two spans: https://hl7.org/fhir/R4/search.html#prefix. An instant is its own span."""
    start = args.add(_text(value.span.lo), "timestamptz")
    end = args.add(_text(value.span.hi), "timestamptz")
    ends = "<" if lo == hi else "<="
    within = f"({lo} >= {start} AND {hi} {ends} {end})"
    above, below = f"{hi} {'>=' if lo == hi else '>'} {end}", f"{lo} < {start}"
    return {
        "eq": within,
        "ne": f"NOT {within}",
        "gt": above,
        "lt": below,
        "ge": f"({above} OR {within})",
        "le": f"({below} OR {within})",
        "sa": f"{lo} >= {end}",
        "eb": f"{hi} {'<' if lo == hi else '<='} {start}",
    }[value.prefix]


def _text(instant: object) -> str:
    if instant == AFTER_ALL:
        return "infinity"
    return "-infinity" if instant == BEFORE_ALL else str(instant)


_TABLES: dict[Kind, tuple[str, Callable[..., str]]] = {
    Kind.TOKEN: ("search_token", _token),
    Kind.DATE: ("search_date", _date),
    Kind.REFERENCE: ("search_reference", _reference),
}
