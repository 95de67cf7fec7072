"""Own extensions. https://hl7.org/fhir/R4/defining-extensions.html"""

from dataclasses import dataclass
from typing import Final

from ecm.exchange.ig.artefact import Json, artefact
from ecm.exchange.ig.terminology import value_set_of
from ecm.exchange.mapping import codes

_TYPES = "http://hl7.org/fhir/StructureDefinition"


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an extension or of one of its parts; `system` binds its code, `targets` its reference."""

    type: str
    system: str = ""
    targets: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: where it may stand, and its value or its parts by name."""

    url: str
    title: str
    where: tuple[str, ...]
    value: Value | None = None
    parts: tuple[tuple[str, Value], ...] = ()


EXTENSIONS: Final = (
    Extension(
        codes.PLACEMENT,
        "Where the child is placed",
        ("Patient",),
        parts=(
            ("kind", Value("CodeableConcept", codes.PLACEMENT_KIND)),
            ("name", Value("string")),
            ("address", Value("Address")),
        ),
    ),
    Extension(
        codes.SCHOOL,
        "The child's school",
        ("Patient",),
        parts=(("name", Value("string")), ("urn", Value("string"))),
    ),
    Extension(
        codes.FAMILY_TREE,
        "Whom the person is child or partner of",
        ("RelatedPerson",),
        parts=(
            ("relation", Value("code", codes.FAMILY_RELATION, required=True)),
            ("person", Value("Reference", targets=("Patient", "RelatedPerson"), required=True)),
        ),
    ),
    Extension(codes.LIVES_WITH_CHILD, "Lives with the child", ("RelatedPerson",), Value("boolean")),
    Extension(codes.PARENTAL_RESPONSIBILITY, "Holds parental responsibility", ("RelatedPerson",), Value("boolean")),
    Extension(codes.DATE_OF_DEATH, "Date of death, as precise as it is known", ("RelatedPerson",), Value("date")),
    Extension(codes.AS_WRITTEN, "The date as its contributor wrote it", ("Observation",), Value("string")),
    Extension(
        codes.SUSPECTED,
        "How certain what is told is",
        ("Observation",),
        Value("CodeableConcept", codes.CERTAINTY),
    ),
    Extension(
        codes.SEQUENCE, "The place in the order of recommendations", ("CarePlan.activity.detail",), Value("positiveInt")
    ),
    Extension(
        codes.PROTECTED_DECLARATION,
        "What the author declares to hold: none, or each protected kind",
        ("CarePlan", "DocumentReference", "Observation"),
        Value("code", codes.PROTECTED_KIND),
    ),
    Extension(codes.ANSWERED_AT, "When the invitation was answered", ("AppointmentResponse",), Value("instant")),
)


def extensions() -> list[Json]:
    """Their StructureDefinitions."""
    return [_definition(each) for each in EXTENSIONS]


def _definition(each: Extension) -> Json:
    simple = [{"id": "Extension.extension", "path": "Extension.extension", "max": "0"}]
    body = simple if each.value else [line for name, value in each.parts for line in _part(name, value)]
    return artefact(each.url, each.title) | {
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": where} for where in each.where],
        "type": "Extension",
        "baseDefinition": f"{_TYPES}/Extension",
        "derivation": "constraint",
        "differential": {"element": [_head(each.title), *body, _url("", each.url), *_value("", each.value)]},
    }


def _head(title: str) -> Json:
    return {"id": "Extension", "path": "Extension", "short": title, "definition": f"{title}."}


def _part(name: str, value: Value) -> list[Json]:
    """A part as a slice of Extension.extension, which base slices by url."""
    inside = f"Extension.extension:{name}"
    return [
        {
            "id": inside,
            "path": "Extension.extension",
            "sliceName": name,
            "min": int(value.required),
            "max": "1",
        },
        {"id": f"{inside}.extension", "path": "Extension.extension.extension", "max": "0"},
        _url(f".extension:{name}", name),
        *_value(f".extension:{name}", value),
    ]


def _url(slice_: str, url: str) -> Json:
    path = "Extension.extension.url" if slice_ else "Extension.url"
    return {"id": f"Extension{slice_}.url", "path": path, "fixedUri": url}


def _value(slice_: str, value: Value | None) -> list[Json]:
    path = "Extension.extension.value[x]" if slice_ else "Extension.value[x]"
    made: Json = {"id": f"Extension{slice_}.value[x]", "path": path}
    if value is None:
        return [made | {"max": "0"}]
    kind: Json = {"code": value.type}
    if value.targets:
        kind["targetProfile"] = [f"{_TYPES}/{target}" for target in value.targets]
    made |= {"min": 1, "type": [kind]}
    if value.system:
        made["binding"] = {"strength": "required", "valueSet": value_set_of(value.system)}
    return [made]
