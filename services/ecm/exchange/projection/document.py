"""Whom a report's document is about: the child in `minimum`, as when it was first assembled."""

from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange.projection.records import RecordAt

Json = dict[str, Any]

# The document is immutable: what it says of the child stays, whatever becomes of the file.
_ASSEMBLED = text("SELECT body FROM resource WHERE record_id = :record AND type = 'Bundle' LIMIT 1")
_NOW = text("SELECT body FROM resource WHERE child_id = :child AND type = 'Patient' AND view = 1 AND NOT hidden")


async def document_patient(conn: AsyncConnection, report: RecordAt) -> Json | None:
    """The Patient for the report's Bundle, without versionId and lastUpdated; None where there is none yet."""
    assembled = (await conn.execute(_ASSEMBLED, {"record": report.record_id})).scalar()
    if assembled is not None:
        inside: list[Json] = [entry["resource"] for entry in orjson.loads(assembled)["entry"]]
        return next(one for one in inside if one["resourceType"] == "Patient")
    body = (await conn.execute(_NOW, {"child": report.child_id})).scalar()
    return _without_version(orjson.loads(body)) if body is not None else None


def _without_version(patient: Json) -> Json:
    meta = {name: value for name, value in patient["meta"].items() if name == "profile"}
    return patient | {"meta": meta}
