"""The exchange holds what the owners hold: mapped anew from their newest versions, byte for byte and view for view."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from ecm.api.common.v1.record_pb2 import CHANGE_CHANGED, CHANGE_CLOSED, CHANGE_CREATED, RecordVersion
from ecm.exchange.mapping import UNMAPPED, MappingContext, map_record
from ecm.exchange.mapping.elements import moment
from ecm.exchange.projection.directory import mapping_context
from ecm.exchange.search.index import IndexRows, index_rows
from faults.checker.verdict import Verdict
from faults.evidence import OWNERS, Evidence, Row

Key = tuple[str, UUID, int]
INDEXES = {
    "search_token": ("tokens", ("param", "system", "code")),
    "search_date": ("dates", ("param", "lo", "hi")),
    "search_reference": ("references", ("param", "target_type", "target_id")),
    "search_string": ("strings", ("param", "value")),
}


def resources_are_their_owners(evidence: Evidence, verdict: Verdict) -> None:
    """Each child's resources are those of the owners' newest versions; none hidden, none beside; versions and index."""
    context = mapping_context(evidence.region)
    stored = _by_record(evidence)
    indexed = _indexed(evidence)
    served = {(row["type"], row["id"], row["view"], row["version_id"]): row for row in _versions(evidence)}
    expected: set[int] = set()
    for version in _newest(evidence, verdict):
        rows = stored.get(UUID(version.record_id), {})
        for key, aim in _aims(version, context, rows).items():
            row = rows.get(key)
            verdict.expect(row, "projection", f"{version.kind} {version.record_id} lacks {key}")
            if row is not None:
                expected.add(row["pk"])
                _compare(row, aim, verdict)
                _compare_index(row, indexed, verdict)
                kept = served.get((*key, row["version_id"]))
                verdict.expect(kept and kept["body"] == row["body"], "projection", f"{key}'s version isn't kept")
    for rows in stored.values():
        for key, row in rows.items():
            if row["child_id"] is not None:
                verdict.expect(row["pk"] in expected, "projection", f"{key} is no owner's")
    verdict.looked_at["resources"] += len(expected)


def grants_are_consents(evidence: Evidence, verdict: Verdict) -> None:
    """The exchange has each child's newest set, and consent knows it."""
    applied = {row["child_id"]: (row["epoch"], row["version"]) for row in evidence.rows("exchange", "grant_set")}
    for row in evidence.rows("consent", "grant_set"):
        newest = (row["epoch"], row["version"])
        known = (row["acked_epoch"], row["acked_version"])
        verdict.expect(known == newest, "grants", f"the set of {row['subject']} isn't acknowledged")
        if row["subject"].int:
            verdict.expect(
                applied.get(row["subject"]) == newest, "grants", f"the exchange has another set of {row['subject']}"
            )
    verdict.looked_at["sets"] += len(evidence.rows("consent", "grant_set"))


def _newest(evidence: Evidence, verdict: Verdict) -> Iterator[RecordVersion]:
    """Every record of a projected child at its newest version, as its owner has it; the exchange must be there too."""
    children = {row["child_id"] for row in evidence.rows("exchange", "projected_child")}
    reached = {row["record_id"]: row for row in evidence.rows("exchange", "projected_record")}
    for service in OWNERS:
        contents = {(row["record_id"], row["version"]): row for row in evidence.rows(service, "record_version")}
        for head in evidence.rows(service, "record"):
            if head["child_id"] in children and head["kind"] not in UNMAPPED:
                row = reached.get(head["record_id"])
                there = row is not None and row["projected_version"] == head["version"] and not row["hidden"]
                words = f"{service}'s {head['kind']} {head['record_id']} isn't projected at {head['version']}"
                verdict.expect(there, "projection", words)
                yield _version(head, contents[head["record_id"], head["version"]])


def _version(head: Row, row: Row) -> RecordVersion:
    created = CHANGE_CREATED if row["version"] == 1 else CHANGE_CHANGED
    version = RecordVersion(
        record_id=str(head["record_id"]),
        child_id=str(head["child_id"]),
        case_id=str(head["case_id"] or ""),
        kind=head["kind"],
        version=row["version"],
        change=CHANGE_CLOSED if row["closed"] else created,
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
        recorded_agency=row["recorded_agency"],
        yot=head["yot"],
        reason=row["reason"],
    )
    version.content.type_url = f"type.googleapis.com/{row['message_type']}"
    version.content.value = row["content"]
    return version


def _aims(version: RecordVersion, context: MappingContext, rows: dict[Key, Row]) -> dict[Key, tuple[Any, Row]]:
    """Key → the mapped resource and its rendition."""
    if version.kind == "REPORT":
        context = replace(context, patient=_patient_of(rows))
    return {
        (found.type, UUID(found.id), int(view)): (found, body)
        for found in map_record(version, context)
        for view, body in found.renditions.items()
    }


def _patient_of(rows: dict[Key, Row]) -> Row | None:
    """The document is immutable: the child stands in it as when it was assembled."""
    bundle = next((row for key, row in rows.items() if key[0] == "Bundle"), None)
    if bundle is None:
        return None
    inside = [entry["resource"] for entry in orjson.loads(bundle["body"])["entry"]]
    return next(one for one in inside if one["resourceType"] == "Patient")


def _compare(row: Row, aim: tuple[Any, Row], verdict: Verdict) -> None:
    found, body = aim
    meta = {"versionId": row["version_id"], "lastUpdated": moment(row["last_updated"])} | body.get("meta", {})
    head = {"resourceType": body["resourceType"], "id": body["id"], "meta": meta}
    wanted = orjson.dumps(head | {name: value for name, value in body.items() if name not in head})
    key = (row["type"], row["id"], row["view"])
    verdict.expect(row["body"] == wanted, "projection", f"{key} isn't what its owner's record says")
    labels = (list(found.categories), found.only_for, found.record_id)
    verdict.expect(
        (row["categories"], row["only_for"], row["record_id"]) == labels, "projection", f"{key}'s labels differ"
    )
    verdict.expect(not row["hidden"], "projection", f"{key} is hidden")


def _compare_index(row: Row, indexed: dict[int, dict[str, set[Any]]], verdict: Verdict) -> None:
    wanted: IndexRows = index_rows(orjson.loads(row["body"]))
    for table, (name, _) in INDEXES.items():
        same = indexed[row["pk"]][table] == set(getattr(wanted, name))
        verdict.expect(same, "projection", f"the {table} of {row['type']}/{row['id']} differs")


def _by_record(evidence: Evidence) -> dict[UUID, dict[Key, Row]]:
    """Owner's record → its resources; they stand under its own id and that of what only a category opens."""
    found: dict[UUID, dict[Key, Row]] = defaultdict(dict)
    for row in evidence.rows("exchange", "resource"):
        record_id = row["record_id"]
        own = UUID(int=record_id.int ^ (0xC << 76)) if record_id.version == 8 else record_id
        found[own][row["type"], row["id"], row["view"]] = row
    return found


def _versions(evidence: Evidence) -> list[Row]:
    return evidence.rows("exchange", "resource_version")


def _indexed(evidence: Evidence) -> dict[int, dict[str, set[Any]]]:
    found: dict[int, dict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
    for table, (_, columns) in INDEXES.items():
        for row in evidence.rows("exchange", table):
            found[row["resource_pk"]][table].add(tuple(_aware(row[name]) for name in columns))
    return found


def _aware(value: Any) -> Any:
    """asyncpg gives ±infinity without a time zone."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
