"""Invented resources as partners post them, and how they become commands without any look-up."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.exchange.intake.context import Found, Writer
from ecm.exchange.intake.elements import Element
from ecm.exchange.intake.references import Seen
from ecm.exchange.intake.shape import check_shape
from ecm.exchange.intake.write_table import Interaction, Write, find
from ecm.exchange.mapping import codes
from ecm.kit.region import Region, load_region

PSYCHOLOGY, COUNCIL = "nhs-psychology", "la-eastvale"
PATIENT, APPOINTMENT, ENCOUNTER, REPORT, SERVICE_REQUEST = (str(UUID(int=n)) for n in range(1, 6))
CASE, INVITATION = UUID(int=50), UUID(int=51)
CHILD = UUID(int=52)
MEETING = UUID(int=53)
PDF = b"%PDF-1.7 invented"
Json = dict[str, Any]


@cache
def region() -> Region:
    return load_region(Path(__file__).parents[4] / "deploy/regions/example/region.yaml")


def writer(client: str = PSYCHOLOGY) -> Writer:
    example = region()
    person = next(iter((example.client(client) or example.clients[0]).practitioners), None)
    if person is None:
        return Writer(example, client, client)
    author = AssertedPractitioner(
        id=person.id, registration_system=person.registration_system, registration=person.registration
    )
    return Writer(example, client, client, author)


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def age(aspect: str, value: Any) -> Json:
    quantity = {"value": value, "unit": "years", "system": codes.UCUM, "code": "a"}
    return {"code": concept(codes.OBSERVATION, f"developmental-age-{aspect}"), "valueQuantity": quantity}


def developmental_map(**changes: Any) -> Json:
    values = {"physical": 14, "social": 9, "cognitive": 11, "emotional": 6}
    return observation("developmental-map", component=[age(*pair) for pair in values.items()]) | changes


def stage(number: int = 2, **changes: Any) -> Json:
    coding = {"system": codes.recovery_model("trm"), "version": "1", "code": str(number)}
    return observation("recovery-stage", valueCodeableConcept={"coding": [coding]}) | changes


def observation(code: str, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(codes.OBSERVATION, code),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": "2026-11-20",
    } | more


def response(**changes: Any) -> Json:
    return {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{APPOINTMENT}"},
        "actor": {"identifier": {"system": codes.ODS, "value": "XLA01"}},
        "participantStatus": "accepted",
        "comment": "An invented comment.",
    } | changes


def document(kind: str, data: bytes = PDF, **changes: Any) -> Json:
    attachment = {"contentType": "application/pdf", "title": "Invented", "data": base64.b64encode(data).decode()}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": concept(codes.DOCUMENT, kind),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "content": [{"attachment": attachment}],
    } | changes


def contribution(**changes: Any) -> Json:
    context = {"related": [{"reference": f"Appointment/{APPOINTMENT}"}]}
    return document("contribution", context=context) | changes


def report(status: str = "preliminary", **changes: Any) -> Json:
    context = {"encounter": [{"reference": f"Encounter/{ENCOUNTER}"}]}
    return document("formulation-report", docStatus=status, context=context) | changes


def plan(**changes: Any) -> Json:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": [concept(codes.PLAN, "recommendations")],
        "subject": {"reference": f"Patient/{PATIENT}"},
        "activity": [activity("r1", "Invented first"), activity("r2", "Invented second")],
    } | changes


def activity(key: str, what: str, **detail: Any) -> Json:
    return {
        "id": key,
        "detail": {"status": "not-started", "description": what, "performer": [{"display": "mentor"}]} | detail,
    }


def holds(*kinds: str) -> list[Json]:
    return [{"url": codes.PROTECTED_DECLARATION, "valueCode": kind} for kind in kinds]


def without(resource: Json, *names: str) -> Json:
    return {name: value for name, value in resource.items() if name not in names}


def seen(target: Any, kind: str = "", record: UUID | None = None, version: int = 1) -> Seen:
    own = MEETING if target.type in ("Appointment", "Encounter") else uuid5(target.id, "record")
    return Seen(target.type, target.id, record or own, CHILD, kind, version, "v1", datetime(2026, 11, 1, tzinfo=UTC))


def read(resource: Json) -> Element:
    return check_shape(resource)


def command(
    resource: Json,
    interaction: Interaction = "create",
    *,
    client: str = PSYCHOLOGY,
    updated: Seen | None = None,
    writer_: Writer | None = None,
    known: Mapping[str, UUID] | None = None,
) -> tuple[Write, Any]:
    """The row and the command, as if everything that is referred to were visible."""
    root = read(resource)
    kind = region().agency_kind(client)
    row = find(interaction, root, kind)
    found = {named.target: seen(named.target) for named in row.references(root)}
    version = updated.record_version if updated else 0
    context = Found(found, CASE, INVITATION, updated, version)
    return row, row.command(root, writer_ or writer(client), context)
