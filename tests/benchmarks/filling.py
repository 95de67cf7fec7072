"""The children as the exchange holds them, copied in bulk: grants as `consent` compiles them, two views of each record.

They stand beside the region's own: nothing of the region's lines, clients or children is touched.
"""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from benchmarks.children import Child, Children, Resource
from ecm.exchange.search.index import index_rows

AGENCY = "nhs-psychology"
LONG_AGO, FAR = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
VIEWS = (2, 3)
Sql = Any

_RESOURCE = "type id view child_id record_id categories version_id last_updated body"
_GRANT = "child_id recipient category patient view valid_from valid_until line_id purposes basis"
_TABLES = {
    "search_token": ("resource_pk", "param", "system", "code"),
    "search_date": ("resource_pk", "param", "lo", "hi"),
    "search_reference": ("resource_pk", "param", "target_type", "target_id"),
}


async def fill(url: str, children: Children) -> None:
    """Copies them into the exchange's database; `url` is its owner's."""
    sql = await asyncpg.connect(url, ssl=False)
    try:
        lines = await sql.fetch("SELECT line_id, category FROM line WHERE recipient = $1", AGENCY)
        await _grants(sql, children.asked, lines)
        await _resources(sql, children.asked)
        await sql.execute("VACUUM ANALYZE")
    finally:
        await sql.close()


async def _grants(sql: Sql, children: list[Child], lines: list[Any]) -> None:
    """A grant for each line of the agreement, and one of the Patient for each: a line may end alone."""
    common = (3, LONG_AGO, FAR)
    rows = [
        (child.id, AGENCY, category, patient, *common, line, ["direct-care"], "consent")
        for child in children
        for line, named in lines
        for category, patient in ((named, False), (None, True))
    ]
    await sql.copy_records_to_table("grants", records=rows, columns=_GRANT.split())
    sets = [(child.id, 1, 1) for child in children]
    await sql.copy_records_to_table("grant_set", records=sets, columns=["child_id", "epoch", "version"])


async def _resources(sql: Sql, children: list[Child]) -> None:
    ours = [(child, resource) for child in children for resource in child.resources]
    # Renditions of one resource are of one record.
    records = {resource["id"]: uuid4() for _, resource in ours}
    stored = [_stored(child, resource, records[resource["id"]], view) for child, resource in ours for view in VIEWS]
    for table in ("resource", "resource_version"):
        await sql.copy_records_to_table(table, records=stored, columns=_RESOURCE.split())
    found = await sql.fetch("SELECT id, array_agg(pk) AS pks FROM resource GROUP BY id")
    keys = {row["id"]: row["pks"] for row in found}
    rows: dict[str, list[Any]] = {table: [] for table in _TABLES}
    for _, resource in ours:
        index = index_rows(resource)
        for table, values in zip(_TABLES, (index.tokens, index.dates, index.references), strict=True):
            rows[table] += [(pk, *value) for pk in keys[UUID(resource["id"])] for value in values]
    for table, columns in _TABLES.items():
        await sql.copy_records_to_table(table, records=rows[table], columns=columns)


def _stored(child: Child, resource: Resource, record: UUID, view: int) -> tuple[Any, ...]:
    version, changed = uuid4().hex, datetime.now(UTC)
    meta = {"versionId": version, "lastUpdated": changed.isoformat(timespec="milliseconds")}
    body = json.dumps(resource | {"meta": meta}).encode()
    categories = [] if resource["resourceType"] == "Patient" else ["referral"]
    named = (resource["resourceType"], UUID(resource["id"]), view, child.id, record)
    return *named, categories, version, changed, body
