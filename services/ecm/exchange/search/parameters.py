"""The registry: which of R4's own search parameters each type has, and where their values stand.

https://hl7.org/fhir/R4/searchparameter-registry.html

`_id` and `_lastUpdated` (every type) stand in columns and have no paths here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

SPEC = "http://hl7.org/fhir/SearchParameter/"


class Kind(StrEnum):
    """R4's kinds of parameters that are served."""

    TOKEN = "token"  # noqa: S105 - a kind of search parameter
    DATE = "date"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of one type. `paths` are elements of the JSON, with each choice of a type spelled out."""

    code: str
    kind: Kind
    definition: str
    paths: tuple[str, ...] = ()
    # The only type that its references may name; "" for any.
    target: str = ""


_T, _D, _R = Kind.TOKEN, Kind.DATE, Kind.REFERENCE

EVERYWHERE = (
    Parameter("_id", _T, SPEC + "Resource-id"),
    Parameter("_lastUpdated", _D, SPEC + "Resource-lastUpdated"),
)


def _own(kind_of: str, code: str, kind: Kind, *paths: str) -> Parameter:
    return Parameter(code, kind, f"{SPEC}{kind_of}-{code}", paths)


def _shared(code: str, kind: Kind, *paths: str) -> Parameter:
    """One that R4 defines once for several clinical types."""
    return Parameter(code, kind, f"{SPEC}clinical-{code}", paths, "Patient" if code == "patient" else "")


def _patient(kind_of: str, path: str) -> Parameter:
    """A `patient` of its own, not the clinical one."""
    return Parameter("patient", _R, f"{SPEC}{kind_of}-patient", (path,), "Patient")


def _subject(kind_of: str) -> tuple[Parameter, Parameter]:
    """`patient`, as R4 shares it or not, and the type's own `subject`."""
    shared = kind_of in _CLINICAL_PATIENT
    patient = _shared("patient", _R, "subject") if shared else _patient(kind_of, "subject")
    return patient, _own(kind_of, "subject", _R, "subject")


def _status(kind_of: str) -> Parameter:
    return _own(kind_of, "status", _T, "status")


_IDENTIFIER = _shared("identifier", _T, "identifier")
# https://hl7.org/fhir/R4/searchparameter-registry.html: the types under `clinical-patient`.
_CLINICAL_PATIENT = frozenset(
    {"CarePlan", "ClinicalImpression", "DocumentReference", "Encounter", "Goal", "Observation", "RiskAssessment"}
    | {"ServiceRequest"}
)
_OBSERVED = ("effectiveDateTime", "effectivePeriod", "effectiveInstant")
_MASTER = ("masterIdentifier", "identifier")


def _identifier(kind_of: str, *paths: str) -> Parameter:
    """The type's own `identifier`."""
    return _own(kind_of, "identifier", _T, *(paths or ("identifier",)))


REGISTRY: dict[str, tuple[Parameter, ...]] = {
    "Appointment": (
        _identifier("Appointment"),
        _patient("Appointment", "participant.actor"),
        _own("Appointment", "supporting-info", _R, "supportingInformation"),
        _status("Appointment"),
        _own("Appointment", "date", _D, "start"),
    ),
    "AppointmentResponse": (
        _identifier("AppointmentResponse"),
        _patient("AppointmentResponse", "actor"),
        _own("AppointmentResponse", "appointment", _R, "appointment"),
        _own("AppointmentResponse", "part-status", _T, "participantStatus"),
    ),
    "Binary": (),
    "Bundle": (
        _identifier("Bundle"),
        _own("Bundle", "type", _T, "type"),
        _own("Bundle", "timestamp", _D, "timestamp"),
    ),
    "CarePlan": (
        _IDENTIFIER,
        *_subject("CarePlan"),
        _own("CarePlan", "category", _T, "category"),
        _status("CarePlan"),
        _shared("date", _D, "period"),
    ),
    "ClinicalImpression": (
        _identifier("ClinicalImpression"),
        *_subject("ClinicalImpression"),
        _status("ClinicalImpression"),
        _shared("date", _D, "date"),
    ),
    "Consent": (
        _IDENTIFIER,
        _shared("patient", _R, "patient"),
        _own("Consent", "category", _T, "category"),
        _status("Consent"),
        _shared("date", _D, "dateTime"),
        _own("Consent", "period", _D, "provision.period"),
    ),
    "DocumentReference": (
        _shared("identifier", _T, *_MASTER),
        *_subject("DocumentReference"),
        _shared("type", _T, "type"),
        _own("DocumentReference", "category", _T, "category"),
        _status("DocumentReference"),
        _own("DocumentReference", "date", _D, "date"),
    ),
    "Encounter": (
        _IDENTIFIER,
        *_subject("Encounter"),
        _shared("type", _T, "type"),
        _own("Encounter", "class", _T, "class"),
        _status("Encounter"),
        _shared("date", _D, "period"),
    ),
    "EpisodeOfCare": (
        _IDENTIFIER,
        _shared("patient", _R, "patient"),
        _shared("type", _T, "type"),
        _status("EpisodeOfCare"),
        _shared("date", _D, "period"),
    ),
    "Goal": (
        _IDENTIFIER,
        *_subject("Goal"),
        _own("Goal", "category", _T, "category"),
        _own("Goal", "lifecycle-status", _T, "lifecycleStatus"),
        _own("Goal", "start-date", _D, "startDate"),
        _own("Goal", "target-date", _D, "target.dueDate"),
    ),
    "Observation": (
        _IDENTIFIER,
        *_subject("Observation"),
        _shared("code", _T, "code"),
        _own("Observation", "category", _T, "category"),
        _status("Observation"),
        _shared("date", _D, *_OBSERVED),
    ),
    "Organization": (
        _identifier("Organization"),
        _own("Organization", "type", _T, "type"),
    ),
    "Patient": (
        _identifier("Patient"),
        Parameter("birthdate", _D, SPEC + "individual-birthdate", ("birthDate",)),
    ),
    "Practitioner": (_identifier("Practitioner"),),
    "Provenance": (
        _patient("Provenance", "target"),
        _own("Provenance", "target", _R, "target"),
        _own("Provenance", "recorded", _D, "recorded"),
    ),
    "QuestionnaireResponse": (
        _identifier("QuestionnaireResponse"),
        _patient("QuestionnaireResponse", "subject"),
        _own("QuestionnaireResponse", "subject", _R, "subject"),
        _status("QuestionnaireResponse"),
        _own("QuestionnaireResponse", "authored", _D, "authored"),
    ),
    "RelatedPerson": (
        _identifier("RelatedPerson"),
        _patient("RelatedPerson", "patient"),
    ),
    "RiskAssessment": (
        _IDENTIFIER,
        *_subject("RiskAssessment"),
        _shared("date", _D, "occurrenceDateTime"),
    ),
    "ServiceRequest": (
        _IDENTIFIER,
        *_subject("ServiceRequest"),
        _shared("code", _T, "code"),
        _own("ServiceRequest", "category", _T, "category"),
        _status("ServiceRequest"),
        _own("ServiceRequest", "authored", _D, "authoredOn"),
    ),
    "Task": (
        _identifier("Task"),
        _patient("Task", "for"),
        _own("Task", "subject", _R, "for"),
        _own("Task", "code", _T, "code"),
        _own("Task", "business-status", _T, "businessStatus"),
        _status("Task"),
        _own("Task", "authored-on", _D, "authoredOn"),
        _own("Task", "modified", _D, "lastModified"),
    ),
}
"""By resource type: every type that a record or the directory yields, and no other: the CapabilityStatement is true.

`Patient` keeps no status, `RiskAssessment` neither: R4 has none.
"""

SERVED = tuple(sorted(REGISTRY))


def parameters(resource_type: str) -> Iterator[Parameter]:
    """Every parameter of a served type, those of every type first."""
    yield from EVERYWHERE
    yield from REGISTRY[resource_type]


@lru_cache(maxsize=1024)  # clients send the names
def find(resource_type: str, code: str) -> Parameter | None:
    """The parameter of that name, if the type has it."""
    return next((parameter for parameter in parameters(resource_type) if parameter.code == code), None)
