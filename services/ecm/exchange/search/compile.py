"""A search as one SQL statement, in which finding, counting and paging carry the same predicate.

The text holds parameter names of the registry and numbers alone; every value is
an element of the arguments ($4). It is run by `disclose()`, after the lock.
"""
# ruff: noqa: S608 - fragments of SQL are put together here, values never

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecm.exchange.asks import Released
from ecm.exchange.disclose_sql import ARGS, AT, PURPOSE, RECIPIENT, columns
from ecm.exchange.predicate import consent_predicate
from ecm.exchange.search.dates import AFTER_ALL, BEFORE_ALL
from ecm.exchange.search.parameters import Kind
from ecm.exchange.search.query import DateValue, Filter, ReferenceValue, Search, TokenValue, as_uuid

_PARAMETERS = {"recipient": RECIPIENT, "purpose": PURPOSE, "at": AT}
_PATIENT_FIRST = "CASE WHEN r.type = 'Patient' THEN '' ELSE r.type END"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The statement, and its arguments."""

    sql: str
    args: tuple[str, ...]


class _Arguments:
    """Collects values; each becomes an expression of its type."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def add(self, value: str, kind: str = "text") -> str:
        self.values.append(value)
        reference = f"({ARGS})[{len(self.values)}]"
        return reference if kind == "text" else f"{reference}::{kind}"


def compile_search(search: Search, after: tuple[str, str] | None = None) -> Compiled:
    """The page of a type search behind `after` (type, id)."""
    args = _Arguments()
    conditions = [f"r.type = {args.add(search.type)}", *(_filter(one, args) for one in search.filters)]
    return _paged(conditions, args, search.count, after, total=search.total, only_total=search.only_total)


def compile_everything(
    patient: str, types: tuple[str, ...], since: DateValue | None, count: int, after: tuple[str, str] | None = None
) -> Compiled:
    """A page of a child's resources of these types: by the system's own child column, never the R4 compartment.

    Nothing, where the Patient itself can't be seen.
    """
    args = _Arguments()
    seen = consent_predicate("p", **_PARAMETERS)
    conditions = [
        f"""r.child_id = (SELECT p.child_id FROM resource p
             WHERE p.type = 'Patient' AND p.id = {args.add(patient, "uuid")} AND {seen})""",
        f"r.type = ANY(string_to_array({args.add(' '.join(types))}, ' '))",
    ]
    if since is not None:
        conditions.append(_compare(since, "r.last_updated", "r.last_updated", args))
    return _paged(conditions, args, count, after, total=True, only_total=False)


def compile_again(resources: Sequence[Released]) -> Compiled:
    """Which of these versions are open still, in the view that they were released in; without their bytes."""
    args = _Arguments()
    lists = [" ".join(column) for column in zip(*((r.type, str(r.id), r.version_id) for r in resources), strict=True)]
    types, ids, versions = (f"string_to_array({args.add(values)}, ' ')" for values in lists)
    again = columns("v", **_PARAMETERS, body="NULL::bytea")
    sql = f"""
SELECT count(*) OVER () AS total, false AS more, {again}
  FROM unnest({types}, {ids}::uuid[], {versions}) AS w (type, id, version_id)
  JOIN (SELECT p.*, false AS hidden FROM resource_version p WHERE NOT p.deleted) v USING (type, id, version_id)
  JOIN resource r ON r.type = v.type AND r.id = v.id AND r.view = v.view
 WHERE {consent_predicate("r", **_PARAMETERS)} AND {consent_predicate("v", **_PARAMETERS)}"""
    return Compiled(sql, tuple(args.values))


def _paged(
    conditions: list[str], args: _Arguments, count: int, after: tuple[str, str] | None, *, total: bool, only_total: bool
) -> Compiled:
    where = " AND ".join([*conditions, consent_predicate("r", **_PARAMETERS)])
    behind = "true"
    if after is not None:
        behind = f"(h.k, h.id) > ({args.add(after[0])}, {args.add(after[1], 'uuid')})"
    limit = 0 if only_total else count
    counted = "(SELECT count(*) FROM hit)" if total or only_total else "NULL::bigint"
    sql = f"""
WITH hit AS {"" if counted[0] == "N" else "MATERIALIZED "}(
    SELECT r.pk, {_PATIENT_FIRST} COLLATE "C" AS k, r.id FROM resource r WHERE {where}),
  ahead AS (SELECT h.pk, h.k, h.id FROM hit h WHERE {behind} ORDER BY h.k, h.id LIMIT {limit + 1}),
  page AS (SELECT a.k, {columns("r", **_PARAMETERS)}
    FROM (SELECT * FROM ahead ORDER BY k, id LIMIT {limit}) a JOIN resource r ON r.pk = a.pk)
SELECT {counted} AS total, (SELECT count(*) FROM ahead) > {limit} AND {limit} > 0 AS more, p.*
  FROM (SELECT 1) one LEFT JOIN page p ON true ORDER BY p.k, p.id"""
    return Compiled(sql, tuple(args.values))


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
