"""What a record's change writes, in one statement: renditions, their versions and their index rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange.projection.served import Wanted
from ecm.exchange.search.index import index_rows
from ecm.kit.db.direct import Direct

Values = dict[str, Any]
TOGETHER_BYTES: Final = 1_048_576

# Attribute of `IndexRows` → its table, and the columns beside `resource_pk`.
_INDEXES: Final = {
    "tokens": ("search_token", {"param": "text", "system": "text", "code": "text"}),
    "dates": ("search_date", {"param": "text", "lo": "timestamptz", "hi": "timestamptz"}),
    "references": ("search_reference", {"param": "text", "target_type": "text", "target_id": "text"}),
    "strings": ("search_string", {"param": "text", "value": "text"}),
}


def _indexed(rows: str) -> str:
    """Index rows of what is written, in place of those of what stood there."""
    table, columns = _INDEXES[rows]
    names = ", ".join(columns)
    arrays = ", ".join(f"CAST(:{rows}_{name} AS {kind}[])" for name, kind in columns.items())
    return f"""old_{rows} AS (DELETE FROM {table} WHERE resource_pk = ANY(:stale)), new_{rows} AS (
        INSERT INTO {table} (resource_pk, {names}) SELECT s.pk, {", ".join(f"x.{name}" for name in columns)}
          FROM unnest(CAST(:{rows}_place AS int[]), {arrays}) AS x (place, {names})
          JOIN news n USING (place) JOIN stored s USING (type, id, view))"""  # noqa: S608 - names of our own


_CHILD, _AT = "CAST(:child AS uuid)", "CAST(:at AS timestamptz)"
# No category's name has a comma.
_WRITE = Direct(f"""
    WITH news AS (
        SELECT n.type, n.id, n.view, n.record_id, string_to_array(n.categories, ',') AS categories, n.only_for,
               n.version_id, n.body, n.place
          FROM unnest(CAST(:types AS text[]), CAST(:ids AS uuid[]), CAST(:views AS smallint[]),
                      CAST(:records AS uuid[]), CAST(:categories AS text[]), CAST(:only_for AS text[]),
                      CAST(:version_ids AS text[]), CAST(:bodies AS bytea[])) WITH ORDINALITY
               AS n (type, id, view, record_id, categories, only_for, version_id, body, place)
    ), stored AS (
        INSERT INTO resource (type, id, view, child_id, record_id, categories, only_for, version_id, last_updated, body)
        SELECT type, id, view, {_CHILD}, record_id, categories, only_for, version_id, {_AT}, body
          FROM news ORDER BY place
        ON CONFLICT (type, id, view) DO UPDATE SET
            categories = excluded.categories, only_for = excluded.only_for, version_id = excluded.version_id,
            last_updated = excluded.last_updated, body = excluded.body, hidden = false
         WHERE resource.pk = ANY(:stale)
        RETURNING pk, type, id, view
    ), {", ".join(_indexed(rows) for rows in _INDEXES)}, gone AS (
        DELETE FROM resource r
         USING unnest(CAST(:gone AS bigint[]), CAST(:gone_version_ids AS text[])) AS g (pk, version_id)
         WHERE r.pk = g.pk
        RETURNING r.type, r.id, r.view, r.child_id, r.record_id, r.categories, r.only_for, g.version_id
    )
    INSERT INTO resource_version
           (type, id, view, child_id, record_id, categories, only_for, version_id, last_updated, body, deleted)
    SELECT type, id, view, {_CHILD}, record_id, categories, only_for, version_id, {_AT}, body, false
      FROM news JOIN stored USING (type, id, view)
    UNION ALL
    SELECT type, id, view, child_id, record_id, categories, only_for, version_id, {_AT}, '', true FROM gone""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class New:
    """A rendition at its new version; `stale` is the key of the row that it replaces."""

    aim: Wanted
    version_id: str
    body: bytes
    stale: int | None


@dataclass(frozen=True, slots=True)
class Gone:
    """A row of `resource` that goes; its last version says so."""

    pk: int
    version_id: str


async def write(
    conn: AsyncConnection, child_id: UUID | None, at: datetime, news: Sequence[New], gone: Sequence[Gone]
) -> None:
    """Stores what is new and removes what went.

    RuntimeError where something of the same type, id and view is another record's: nothing may stand in its place.
    """
    some, *others = _grouped(news)
    await _write(conn, child_id, at, some, gone)
    for more in others:
        await _write(conn, child_id, at, more, ())


def _grouped(news: Sequence[New]) -> list[list[New]]:
    """As many in one statement as are small together: the loop stands still while one is handed to the connection."""
    groups: list[list[New]] = [[]]
    size = 0
    for new in news:
        size += len(new.body)
        if groups[-1] and size > TOGETHER_BYTES:
            groups.append([])
            size = len(new.body)
        groups[-1].append(new)
    return groups


async def _write(
    conn: AsyncConnection, child_id: UUID | None, at: datetime, news: Sequence[New], gone: Sequence[Gone]
) -> None:
    values: Values = {"child": child_id, "at": at, "stale": [new.stale for new in news if new.stale is not None]}
    values |= {"gone": [row.pk for row in gone], "gone_version_ids": [row.version_id for row in gone]}
    written = await _WRITE.run(conn, values | _renditions(news) | _index(news))
    if written != len(news) + len(gone):
        raise RuntimeError("What is to be written is another record's already.")


def _renditions(news: Sequence[New]) -> Values:
    return {
        "types": [new.aim.key[0] for new in news],
        "ids": [new.aim.key[1] for new in news],
        "views": [new.aim.key[2] for new in news],
        "records": [new.aim.record_id for new in news],
        "categories": [",".join(new.aim.categories) for new in news],
        "only_for": [new.aim.only_for for new in news],
        "version_ids": [new.version_id for new in news],
        "bodies": [new.body for new in news],
    }


def _index(news: Sequence[New]) -> Values:
    """The columns of every index table; `place` counts from 1, as ORDINALITY does."""
    found = [index_rows(new.aim.body) for new in news]
    values: Values = {}
    for rows, (_, columns) in _INDEXES.items():
        placed = [(place, *row) for place, one in enumerate(found, 1) for row in getattr(one, rows)]
        names = ("place", *columns)
        values |= {f"{rows}_{name}": [row[at] for row in placed] for at, name in enumerate(names)}
    return values
