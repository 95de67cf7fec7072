"""The benchmark's region: children with their records, agreement lines and grants, copied in bulk."""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from ecm.exchange.search.index import index_rows
from exchange.outbound.world import LONG_AGO, PSYCHOLOGY, World, connect

NHS = "https://fhir.nhs.uk/Id/nhs-number"
# As the example region's psychology service has them.
CATEGORIES = ("referral", "health", "family", "offending", "education", "report", "formulation")
FAR = datetime(9999, 1, 1, tzinfo=UTC)
VIEWS = (2, 3)

_RESOURCE = "type id view child_id record_id categories version_id last_updated body"
_GRANT = "child_id recipient category patient view valid_from valid_until line_id purposes basis"
_TABLES = {
    "search_token": ("resource_pk", "param", "system", "code"),
    "search_date": ("resource_pk", "param", "lo", "hi"),
    "search_reference": ("resource_pk", "param", "target_type", "target_id"),
}


@dataclass
class Region:
    """What may be asked for."""

    patients: list[UUID]
    identifiers: list[str]
    observations: list[UUID]


async def fill(url: str, children: int, each: int) -> Region:
    """`each` - 1 Observations and one Patient for each child, in two views; grants on everything for one agency."""
    world = World(await connect(url))
    await world.clear()
    lines = [await world.line(PSYCHOLOGY, category) for category in CATEGORIES]
    made = Region([], [], [])
    grants: list[Any] = []
    resources: list[dict[str, Any]] = []
    for number in range(children):
        child = uuid4()
        grants += _grants(child, lines)
        patient = _patient(made, number)
        resources += [patient | {"child": child}]
        resources += [_observation(made, patient["id"]) | {"child": child} for _ in range(each - 1)]
    # Neighbours on disk aren't neighbours in the asking.
    random.shuffle(made.observations)
    await _copy(world.sql, grants, resources)
    await world.sql.execute("VACUUM ANALYZE")
    await world.sql.close()
    return made


def _grants(child: UUID, lines: list[UUID]) -> list[Any]:
    common = (3, LONG_AGO, FAR)
    rows = [
        (child, PSYCHOLOGY, category, False, *common, line, ["direct-care"], "consent")
        for category, line in zip(CATEGORIES, lines, strict=True)
    ]
    return [*rows, (child, PSYCHOLOGY, None, True, *common, lines[0], ["direct-care"], "consent")]


def _patient(made: Region, number: int) -> dict[str, Any]:
    patient, nhs = uuid4(), f"{9_000_000_000 + number}"
    made.patients.append(patient)
    made.identifiers.append(nhs)
    content = {"resourceType": "Patient", "birthDate": "2012-05-05", "identifier": [{"system": NHS, "value": nhs}]}
    return {"type": "Patient", "id": patient, "categories": [], "content": content}


def _observation(made: Region, patient: UUID) -> dict[str, Any]:
    observation = uuid4()
    made.observations.append(observation)
    content = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://codes.invalid", "code": "ace-1"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-03-10",
        "note": [{"text": "x" * 300}],
    }
    return {"type": "Observation", "id": observation, "categories": ["referral"], "content": content}


async def _copy(sql: "asyncpg.Connection[Any]", grants: list[Any], resources: list[dict[str, Any]]) -> None:
    await sql.copy_records_to_table("grants", records=grants, columns=_GRANT.split())
    sets = [(child, 1, 1) for child in {row[0] for row in grants}]
    await sql.copy_records_to_table("grant_set", records=sets, columns=["child_id", "epoch", "version"])
    stored = [_stored(one, view) for one in resources for view in VIEWS]
    for table in ("resource", "resource_version"):
        await sql.copy_records_to_table(table, records=stored, columns=_RESOURCE.split())
    keys = {
        row["id"]: row["pks"] for row in await sql.fetch("SELECT id, array_agg(pk) AS pks FROM resource GROUP BY id")
    }
    rows: dict[str, list[Any]] = {table: [] for table in _TABLES}
    for one in resources:
        index = index_rows(one["content"])
        for table, values in zip(_TABLES, (index.tokens, index.dates, index.references), strict=True):
            rows[table] += [(pk, *value) for pk in keys[one["id"]] for value in values]
    for table, columns in _TABLES.items():
        await sql.copy_records_to_table(table, records=rows[table], columns=columns)


def _stored(one: dict[str, Any], view: int) -> tuple[Any, ...]:
    version, changed = uuid4().hex, datetime.now(UTC)
    meta = {"versionId": version, "lastUpdated": changed.isoformat(timespec="milliseconds")}
    body = json.dumps({**one["content"], "id": str(one["id"]), "meta": meta}).encode()
    return one["type"], one["id"], view, one["child"], uuid4(), one["categories"], version, changed, body
