"""Own profiles: of each row of the write table, what is taken. What isn't kept may not be there.

Top-level elements come from the intake's own lists; a test holds what the
profiles refuse against what the intake refuses.
"""

from typing import Any, Final

from ecm.exchange.ig.artefact import Json
from ecm.exchange.ig.differential import NONE, TYPES, Profile, Rules, definition
from ecm.exchange.ig.terminology import INVITATION_ANSWERS, value_set_of
from ecm.exchange.intake import answers, clinical, plans, reports
from ecm.exchange.mapping import codes


def _refers(*targets: str, **more: Any) -> Json:
    return {"type": [{"code": "Reference", "targetProfile": [f"{TYPES}/{target}" for target in targets]}]} | more


def _own(system: str, code: str) -> Json:
    return {"min": 1, "patternCodeableConcept": {"coding": [{"system": system, "code": code}]}}


def _literal(path: str) -> Rules:
    """A reference by its type and id alone."""
    return (f"{path}.reference", {"min": 1}), (f"{path}.identifier", NONE)


_ONE: Final[Json] = {"min": 1, "max": "1"}
_DECLARED: Final[Rules] = (("extension", {"type": [{"code": "Extension", "profile": [codes.PROTECTED_DECLARATION]}]}),)
_OBSERVED: Final[Rules] = (
    ("status", {"fixedCode": "final"}),
    ("subject", _refers("Patient", min=1)),
    *_literal("subject"),
    ("encounter", _refers("Encounter")),
    *_literal("encounter"),
    ("basedOn", _refers("ServiceRequest", max="1")),
    *_literal("basedOn"),
    ("effective[x]", {"min": 1, "type": [{"code": "dateTime"}]}),
    ("performer", {"max": "5"}),
)
_AGE: Final[Rules] = (
    ("component.value[x].value", {"min": 1, "minValueDecimal": 0, "maxValueDecimal": 25}),
    ("component.value[x].comparator", NONE),
    ("component.value[x].system", {"min": 1, "fixedUri": codes.UCUM}),
    ("component.value[x].code", {"min": 1, "fixedCode": "a"}),
)


def _none(path: str, *names: str) -> Rules:
    return tuple((f"{path}.{name}", NONE) for name in names)


def _components(number: Json, kind: str, *rules: tuple[str, Json]) -> Rules:
    return (
        ("component", number),
        *_none("component", "extension"),
        ("component.value[x]", {"min": 1, "type": [{"code": kind}]}),
        *rules,
        *_none("component", "dataAbsentReason", "interpretation", "referenceRange"),
    )


# Within an element in R4's order, as differentials want it.
_DOCUMENT: Final[Rules] = (
    *_DECLARED,
    ("status", {"fixedCode": "current"}),
    ("subject", _refers("Patient")),
    *_literal("subject"),
    ("author", {"max": "5"}),
    ("content", _ONE),
    *_none("content", "extension", "attachment.extension"),
    ("content.attachment.contentType", {"min": 1}),
    ("content.attachment.data", {"min": 1}),
    *_none("content", "attachment.url", "format"),
)
_CONTEXT: Final[Rules] = (
    *_none("context", "extension"),
    ("context.encounter", _refers("Encounter", max="1")),
    *_literal("context.encounter"),
    *_none("context", "event", "period", "facilityType", "practiceSetting", "sourcePatientInfo"),
    ("context.related", _refers("Appointment", max="1")),
    *_literal("context.related"),
)
_ACTIVITY: Final[Rules] = (
    ("activity", {"min": 1, "max": "100"}),
    *_none("activity", "extension", "outcomeCodeableConcept", "outcomeReference", "progress", "reference"),
    ("activity.detail", {"min": 1}),
    ("activity.detail.extension", {"max": "1", "type": [{"code": "Extension", "profile": [codes.SEQUENCE]}]}),
    *_none("activity.detail", "kind", "instantiatesCanonical", "instantiatesUri", "code"),
    *_none("activity.detail", "reasonCode", "reasonReference", "goal"),
    ("activity.detail.status", {"fixedCode": "not-started"}),
    *_none("activity.detail", "statusReason", "doNotPerform", "scheduled[x]", "location"),
    ("activity.detail.performer", _ONE),
    *_none("activity.detail.performer", "reference", "type", "identifier"),
    ("activity.detail.performer.display", {"min": 1}),
    *_none("activity.detail", "product[x]", "dailyAmount", "quantity"),
    ("activity.detail.description", {"min": 1}),
)

PROFILES: Final = (
    Profile(
        "ecm-invitation-answer",
        "Answer to an invitation",
        "AppointmentResponse",
        answers.ANSWER_ELEMENTS,
        (
            ("appointment", _refers("Appointment")),
            *_literal("appointment"),
            ("actor", {"min": 1}),
            ("participantStatus", {"binding": {"strength": "required", "valueSet": INVITATION_ANSWERS}}),
        ),
    ),
    Profile(
        "ecm-contribution",
        "Written information for a formulation meeting",
        "DocumentReference",
        reports.DOCUMENT_ELEMENTS,
        (
            *_DOCUMENT,
            ("docStatus", {"fixedCode": "final"}),
            ("category", {"binding": {"strength": "required", "valueSet": value_set_of(codes.CATEGORY)}}),
            ("context", {"min": 1}),
            *_CONTEXT,
        ),
    ),
    Profile(
        "ecm-formulation-report",
        "Formulation report, as it is drafted, final or amended",
        "DocumentReference",
        reports.AMENDMENT_ELEMENTS,
        (
            *_DOCUMENT,
            ("docStatus", {"min": 1}),
            ("type", _own(codes.DOCUMENT, reports.REPORT)),
            ("relatesTo", {"max": "1"}),
            ("relatesTo.code", {"fixedCode": "replaces"}),
            *_literal("relatesTo.target"),
            *_CONTEXT,
        ),
    ),
    Profile(
        "ecm-developmental-map",
        "Developmental map",
        "Observation",
        clinical.MAP_ELEMENTS,
        (
            *_OBSERVED,
            ("code", _own(codes.OBSERVATION, clinical.MAP)),
            *_components({"min": 4, "max": "4"}, "Quantity", *_AGE),
        ),
    ),
    Profile(
        "ecm-recovery-stage",
        "Stage of the recovery model",
        "Observation",
        clinical.STAGE_ELEMENTS,
        (
            *_DECLARED,
            *_OBSERVED,
            ("code", _own(codes.OBSERVATION, clinical.STAGE)),
            ("value[x]", {"min": 1, "type": [{"code": "CodeableConcept"}]}),
            *_components({"max": "3"}, "string"),
        ),
    ),
    Profile(
        "ecm-recommendations",
        "Recommendations of a formulation meeting",
        "CarePlan",
        plans.PLAN_ELEMENTS,
        (
            *_DECLARED,
            ("status", {"fixedCode": "active"}),
            ("category", _own(codes.PLAN, plans.RECOMMENDATIONS) | {"min": 0}),
            ("subject", _refers("Patient")),
            *_literal("subject"),
            ("encounter", _refers("Encounter")),
            *_literal("encounter"),
            ("supportingInfo", _refers("ServiceRequest", "EpisodeOfCare", max="1")),
            *_literal("supportingInfo"),
            *_ACTIVITY,
        ),
    ),
)


def profiles() -> list[Json]:
    """Their StructureDefinitions, as differentials."""
    return [definition(each) for each in PROFILES]
