"""Own profiles: of each row of the write table, what is taken. What isn't kept may not be there.

Top-level elements come from the intake's own lists; a test holds what the
profiles refuse against what the intake refuses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ecm.exchange.ig.artefact import Json, artefact
from ecm.exchange.ig.terminology import INVITATION_ANSWERS, value_set_of
from ecm.exchange.intake import answers, clinical, plans, reports
from ecm.exchange.intake.shape import MODELS
from ecm.exchange.mapping import codes

_TYPES: Final = "http://hl7.org/fhir/StructureDefinition"
# Travels along with every resource, read by nobody: see `intake.elements`.
_TRAVELS: Final = frozenset({"id", "meta", "language", "text"})


Rules = tuple[tuple[str, Json], ...]
"""Paths within the type, and what an ElementDefinition says of each."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. `kept` are the elements of the type that may stand there; `rules` say more of some of them."""

    name: str
    title: str
    type: str
    kept: tuple[str, ...]
    rules: Rules

    @property
    def url(self) -> str:
        """Its canonical URL."""
        return f"{codes.CANONICAL}/StructureDefinition/{self.name}"


def _refers(*targets: str, **more: Any) -> Json:
    return {"type": [{"code": "Reference", "targetProfile": [f"{_TYPES}/{target}" for target in targets]}]} | more


def _own(system: str, code: str) -> Json:
    return {"min": 1, "patternCodeableConcept": {"coding": [{"system": system, "code": code}]}}


def _literal(path: str) -> Rules:
    """A reference by its type and id alone."""
    return (f"{path}.reference", {"min": 1}), (f"{path}.identifier", _NONE)


_NONE: Final[Json] = {"max": "0"}
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
    ("component.value[x].comparator", _NONE),
    ("component.value[x].system", {"min": 1, "fixedUri": codes.UCUM}),
    ("component.value[x].code", {"min": 1, "fixedCode": "a"}),
)


def _none(path: str, *names: str) -> Rules:
    return tuple((f"{path}.{name}", _NONE) for name in names)


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
    return [_definition(each) for each in PROFILES]


def _definition(each: Profile) -> Json:
    said = dict(each.rules)
    lines = [{"id": each.type, "path": each.type, "short": each.title}]
    for name in _elements(each.type):
        if not _is_kept(name, each.kept):
            lines.append(_line(each.type, name, _NONE))
            continue
        lines += [_line(each.type, path, said[path]) for path in said if path == name or path.startswith(f"{name}.")]
    return artefact(each.url, each.title) | {
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": False,
        "type": each.type,
        "baseDefinition": f"{_TYPES}/{each.type}",
        "derivation": "constraint",
        "differential": {"element": lines},
    }


def _line(kind: str, path: str, rule: Json) -> Json:
    return {"id": f"{kind}.{path}", "path": f"{kind}.{path}"} | rule


def _is_kept(name: str, kept: tuple[str, ...]) -> bool:
    stem = name.removesuffix("[x]")
    chosen = name.endswith("[x]") and any(each.startswith(stem) and each[len(stem)].isupper() for each in kept)
    return name in kept or name in _TRAVELS or chosen


def _elements(kind: str) -> Iterator[str]:
    """The type's elements in R4's order, a choice of types as one: value[x]."""
    model = MODELS[kind]
    choices = {field.alias: (field.json_schema_extra or {}).get("one_of_many") for field in model.model_fields.values()}
    names = (f"{choices[name]}[x]" if choices.get(name) else name for name in model.elements_sequence())
    yield from dict.fromkeys(names)
