"""A search as what `disclose()` is asked for: a kind whose statement it holds, or a driver and a condition.

Their text holds parameter names of the registry and numbers alone; every
value is an element of the arguments.
"""
# ruff: noqa: S608 - fragments of SQL are put together here, values never

from collections.abc import Callable, Sequence

from ecm.exchange.disclosure.asks import Kind as AskKind
from ecm.exchange.disclosure.asks import Page, Released
from ecm.exchange.disclosure.disclose_sql import ARGS, RECIPIENT
from ecm.exchange.disclosure.patterns import known_to
from ecm.exchange.search.dates import AFTER_ALL, BEFORE_ALL
from ecm.exchange.search.parameters import Kind
from ecm.exchange.search.query import DateValue, Filter, ReferenceValue, Search, TokenValue, as_uuid

MOST_LEADS = 3
"""Parameters by which candidates are found, where none of them names somebody; dates in one of them."""


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
        return Page(kind, values, after=after, limit=limit, total=total)
    args = _Arguments()
    leads = _leads(search.filters)
    driver = [f"r.type = {args.add(search.type)}", *(_leading(one, args) for one in leads)]
    condition = [_of_candidate(one, args) for one in search.filters if one not in leads]
    driving, wanted = " AND ".join(driver), " AND ".join(condition) or "true"
    return Page("query", tuple(args.values), driving, wanted, after, limit, total)


def _held(search: Search) -> tuple[AskKind, tuple[str | None, ...]] | None:
    """Kind and arguments of a search by one reference or one token, if it is one."""
    match search.filters:
        case (Filter(parameter, (ReferenceValue() as value,)),) if value.type not in ("", "?"):
            return "reference", (search.type, parameter.code, value.id, value.type, _patient(value))
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
    return Page("everything", (patient, " ".join(types), instant), after=after, limit=count)


def compile_again(resources: Sequence[Released]) -> Page:
    """Which of these versions are open still, in the view that they were released in; without their bytes."""
    versions = dict.fromkeys(tuple(one.name.split("/")) for one in resources)
    return Page("again", tuple(" ".join(column) for column in zip(*versions, strict=True)))


def _leads(filters: Sequence[Filter]) -> list[Filter]:
    """By which candidates are found: the one that names somebody; of those that only describe, a few.

    Each costs something of what mayn't be seen, too, so that they mayn't be many, nor have many dates.
    """
    few = [one for one in filters if one.parameter.kind is not Kind.DATE or len(one.values) <= MOST_LEADS]
    leading = sorted(few, key=_rank)
    return leading[: 1 if leading and _names(leading[0]) else MOST_LEADS]


def _names(one: Filter) -> bool:
    return one.parameter.code in _NAMING or one.parameter.kind is Kind.REFERENCE


def _rank(one: Filter) -> int:
    """The less it finds, the sooner."""
    code, kind = one.parameter.code, one.parameter.kind
    if code in _NAMING:
        return _NAMING.index(code)
    order = (Kind.REFERENCE, Kind.TOKEN, Kind.DATE)
    return len(_NAMING) + (len(order) if code in _WIDE else order.index(kind))


def _leading(one: Filter, args: _Arguments) -> str:
    """SQL that is true for resources `r`."""
    if one.parameter.code in _COLUMNS:
        return _COLUMNS[one.parameter.code](one, "r", args)
    if one.parameter.kind is Kind.REFERENCE:
        return _referring(one, args)
    table, values = _found_by(one, args)
    return f"r.pk IN (SELECT t.resource_pk FROM {table} t WHERE {values})"


def _referring(one: Filter, args: _Arguments) -> str:
    """What refers to a child whom the asker has no grant on isn't looked for."""
    targets = ", ".join(_target(value, args) for value in one.values)  # type: ignore[arg-type]
    known = known_to(RECIPIENT, "v.own")
    return f"""r.pk IN (SELECT t.resource_pk
      FROM (SELECT v.id, v.type FROM (VALUES {targets}) AS v (id, type, own) WHERE {known} OFFSET 0) v
      JOIN search_reference t ON t.param = '{one.parameter.code}' AND t.target_id = v.id
       AND (v.type IS NULL OR t.target_type = v.type))"""


def _target(value: ReferenceValue, args: _Arguments) -> str:
    """SQL of a row: id, type (NULL: any; empty: an address that isn't of ours), and the id of a Patient."""
    kind = {"": "NULL::text", "?": "''"}.get(value.type) or args.add(value.type)
    own = _patient(value)
    return f"({args.add(value.id)}, {kind}, {'NULL::uuid' if own is None else args.add(own, 'uuid')})"


def _patient(value: ReferenceValue) -> str | None:
    """The id, where it may be a Patient's."""
    own = as_uuid(value.id) if value.type in ("", "Patient") else None
    return value.id if own is not None and str(own) == value.id else None


def _of_candidate(one: Filter, args: _Arguments) -> str:
    """SQL that is true for candidates `c`. Looked up for each: an IN could be made of a whole table beforehand."""
    if one.parameter.code in _COLUMNS:
        return _COLUMNS[one.parameter.code](one, "c", args)
    table, values = _found_by(one, args)
    return f"(SELECT true FROM {table} t WHERE t.resource_pk = c.pk AND {values} LIMIT 1)"


def _found_by(one: Filter, args: _Arguments) -> tuple[str, str]:
    table, condition = _TABLES[one.parameter.kind]
    return table, f"t.param = '{one.parameter.code}' AND {_any([condition(value, args) for value in one.values])}"


def _any(alternatives: list[str]) -> str:
    return f"({' OR '.join(alternatives)})"


def _ids(one: Filter, row: str, args: _Arguments) -> str:
    """A text that isn't a UUID can't be one of our ids: it finds nothing."""
    texts = [value.code or "" for value in one.values if isinstance(value, TokenValue)]
    known = [found for found in map(as_uuid, texts) if found is not None]
    return f"{row}.id = ANY(string_to_array({args.add(' '.join(map(str, known)))}, ' ')::uuid[])"


def _updated(one: Filter, row: str, args: _Arguments) -> str:
    at = f"{row}.last_updated"
    return _any([_compare(value, at, at, args) for value in one.values])  # type: ignore[arg-type]


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
_COLUMNS: dict[str, Callable[[Filter, str, _Arguments], str]] = {"_id": _ids, "_lastUpdated": _updated}
_NAMING = ("_id", "identifier", "patient")
# Of few values, each of many resources.
_WIDE = frozenset({"category", "class", "lifecycle-status", "part-status", "status"})
