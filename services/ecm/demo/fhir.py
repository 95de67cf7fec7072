"""What the partners of the journey post: FHIR R4 resources, as their own systems would build them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from ecm.demo.material import pdf

CANONICAL = "https://ecm-exchange.example/fhir"
DOCUMENT = f"{CANONICAL}/CodeSystem/ecm-document"
OBSERVATION = f"{CANONICAL}/CodeSystem/ecm-observation"
RECOVERY_MODEL = f"{CANONICAL}/CodeSystem/ecm-recovery-model-trm"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
HCPC = "https://fhir.hl7.org.uk/Id/hcpc-number"
UCUM = "http://unitsofmeasure.org"
PSYCHOLOGIST = "PYL00001"
Resource = dict[str, Any]

AGES = {"physical": 14, "social": 9, "cognitive": 11.5, "emotional": 6}
RECOMMENDATIONS = (
    ("One trusted worker sees the child weekly, always at the same time", "YOT case manager"),
    ("Routine at home is supported before anything else is asked", "Family support worker"),
)


def provenance(practitioner: str) -> str:
    """`X-Provenance`: the registered author (R4's header for authorship)."""
    del practitioner
    who = {"identifier": {"system": HCPC, "value": PSYCHOLOGIST}}
    return json.dumps(
        {
            "resourceType": "Provenance",
            "target": [{"reference": "#"}],
            "recorded": datetime.now(UTC).isoformat(timespec="seconds"),
            "agent": [{"who": who}],
        }
    )


def appointment_response(appointment: str, ods: str) -> Resource:
    """The invited agency comes (checklist 131)."""
    return {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{appointment}"},
        "actor": {"identifier": {"system": ODS, "value": ods}},
        "participantStatus": "accepted",
        "comment": "The social worker will attend.",
    }


def contribution(patient: str, appointment: str) -> Resource:
    """Written information for the meeting; nothing declared, so it counts as holding every protected kind."""
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": _concept(DOCUMENT, "contribution"),
        "subject": {"reference": f"Patient/{patient}"},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "content": [_attachment("Chronology of involvement")],
        "context": {"related": [{"reference": f"Appointment/{appointment}"}]},
    }


def developmental_map(patient: str) -> Resource:
    """Four estimates of developmental age (checklist 161)."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": _concept(OBSERVATION, "developmental-map"),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": _today(),
        "component": [_age(name, years) for name, years in AGES.items()],
    }


def recovery_stage(patient: str, stage: int) -> Resource:
    """A placement on the Trauma Recovery Model (checklist 162)."""
    coding = {"system": RECOVERY_MODEL, "version": "1", "code": str(stage)}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": _concept(OBSERVATION, "recovery-stage"),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": _today(),
        "valueCodeableConcept": {"coding": [coding]},
    }


def recommendations(patient: str) -> Resource:
    """What, who, in which order (checklist 164)."""
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "proposal",
        "subject": {"reference": f"Patient/{patient}"},
        "activity": [_activity(number, *item) for number, item in enumerate(RECOMMENDATIONS, start=1)],
    }


def report(patient: str, appointment: str, *, status: str, declared_free: bool = False) -> Resource:
    """The formulation report as PDF, inline (checklist 168)."""
    resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": status,
        "type": _concept(DOCUMENT, "formulation-report"),
        "subject": {"reference": f"Patient/{patient}"},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "content": [_attachment("Formulation report")],
        "context": {"related": [{"reference": f"Appointment/{appointment}"}]},
    }
    if declared_free:
        resource["extension"] = [
            {"url": f"{CANONICAL}/StructureDefinition/ecm-protected-declaration", "valueCode": "none"}
        ]
    return resource


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _attachment(title: str) -> Resource:
    data = base64.b64encode(pdf(title)).decode()
    return {"attachment": {"contentType": "application/pdf", "language": "en", "title": title, "data": data}}


def _age(name: str, years: float) -> Resource:
    return {
        "code": _concept(OBSERVATION, f"developmental-age-{name}"),
        "valueQuantity": {"value": years, "unit": "years", "system": UCUM, "code": "a"},
    }


def _activity(number: int, what: str, who: str) -> Resource:
    detail = {"status": "not-started", "description": what, "performer": [{"display": who}]}
    return {"id": f"r{number}", "detail": detail}


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
