"""What partners of the demo post, sparse and rich, and what the intake says of a body, without any look-up."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ecm.demo import fhir, material
from ecm.exchange.api.body import read_resource
from ecm.exchange.intake.context import Found
from ecm.exchange.intake.write_table import Interaction, find
from ecm.exchange.mapping import codes
from ecm.kit.errors import DomainError
from unit.exchange.intake import posted

Json = dict[str, Any]
PROFILE = f"{codes.CANONICAL}/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Post:
    """One write: who sends it, and what it updates."""

    name: str
    resource: Json
    client: str = posted.PSYCHOLOGY
    interaction: Interaction = "create"
    kind: str = ""

    @property
    def profiles(self) -> tuple[str, ...]:
        """Against which it is validated."""
        return profiles_of(self.resource)

    def refusal(self, body: str) -> DomainError | None:
        """What the intake says of another body in its place; None where it takes it."""
        try:
            root = read_resource(body.encode(), self.resource["resourceType"])
            row = find(self.interaction, root, posted.region().agency_kind(self.client))
            found = {named.target: posted.seen(named.target) for named in row.references(root)}
            updated = posted.seen(next(iter(found)), self.kind) if self.kind else None
            context = Found(found, posted.CASE, posted.INVITATION, updated, 1 if updated else 0)
            row.command(root, posted.writer(self.client), context)
        except DomainError as error:
            return error
        return None


def profiles_of(resource: Json) -> tuple[str, ...]:
    """The profile of the row of the write table that a posted resource is."""
    said = {coding.get("code") for name in ("code", "type") for coding in resource.get(name, {}).get("coding", [])}
    by_code = {"developmental-map", "recovery-stage", "formulation-report"} & said
    by_type = {"AppointmentResponse": "invitation-answer", "CarePlan": "recommendations"}
    name = by_code.pop() if by_code else by_type.get(resource["resourceType"], "contribution")
    return (f"{PROFILE}ecm-{name}",)


def posts() -> Iterator[Post]:
    """Every row of the write table, as the demo posts it and with all that may be said."""
    patient, appointment = posted.PATIENT, posted.APPOINTMENT
    council = posted.COUNCIL
    yield Post("answer", fhir.appointment_response(appointment, "XLA01"), council)
    yield Post("contribution", fhir.contribution(patient, appointment), council)
    yield Post("map", fhir.developmental_map(patient))
    yield Post("stage", fhir.recovery_stage(patient, 2))
    yield Post("recommendations", fhir.recommendations(patient))
    draft = fhir.report(patient, appointment, status="preliminary")
    final = fhir.report(patient, appointment, status="final", declared_free=True)
    yield Post("draft", draft)
    yield Post("final", final, interaction="update", kind="REPORT_DRAFT")
    yield Post("rich contribution", _rich_contribution(), council)
    yield Post("rich map", posted.developmental_map(**_rich_observation()))
    yield Post("rich stage", _rich_stage())
    yield Post("rich recommendations", _rich_plan())
    yield Post("amendment", _amendment())


def _author() -> Json:
    return {"identifier": {"system": codes.HCPC, "value": "PYL00001"}, "display": "The psychologist"}


def _rich_contribution() -> Json:
    category = [posted.concept(codes.CATEGORY, "social-care")]
    made = posted.contribution(category=category, docStatus="final", extension=posted.holds("address", "school"))
    data = material.pdf("Invented")
    attachment = {
        "contentType": "application/pdf",
        "language": "cy",
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data).digest()).decode(),
        "title": "Invented",
        "creation": "2026-11-20",
    }
    return json.loads(json.dumps(made)) | {"content": [{"attachment": attachment}]}


def _rich_observation() -> Json:
    return {
        "category": [posted.concept(codes.OBSERVATION_CATEGORY, "exam")],
        "basedOn": [{"reference": f"ServiceRequest/{posted.SERVICE_REQUEST}"}],
        "encounter": {"reference": f"Encounter/{posted.ENCOUNTER}"},
        "performer": [_author()],
    }


def _rich_stage() -> Json:
    words = [
        {"code": posted.concept(codes.OBSERVATION, f"recovery-{code}"), "valueString": f"Invented {code}"}
        for code in ("presentation", "underlying-need", "intervention")
    ]
    return posted.stage(component=words, extension=posted.holds("none"), **_rich_observation())


def _rich_plan() -> Json:
    sequence = [{"url": codes.SEQUENCE, "valuePositiveInt": 2}]
    return posted.plan(
        title="Invented",
        author=_author(),
        encounter={"reference": f"Encounter/{posted.ENCOUNTER}"},
        supportingInfo=[{"reference": f"ServiceRequest/{posted.SERVICE_REQUEST}"}],
        extension=posted.holds("placement"),
        activity=[posted.activity("r1", "Invented first", extension=sequence)],
    )


def _amendment() -> Json:
    replaced = {"code": "replaces", "target": {"reference": f"DocumentReference/{posted.REPORT}"}}
    return posted.report("amended", relatesTo=[replaced], description="An invented reason", author=[_author()])
