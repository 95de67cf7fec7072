"""The closed catalogue of SMART v2 scopes, which feeds both issuers and `scopes_supported`.

https://hl7.org/fhir/smart-app-launch/STU2/scopes-and-launch-context.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PERMISSIONS = "cruds"
"""SMART v2: create, read (and vread, history of one), update, delete, search; always in this order."""

READABLE = (
    "Appointment",
    "AppointmentResponse",
    "Binary",
    "Bundle",
    "CarePlan",
    "CareTeam",
    "ClinicalImpression",
    "Composition",
    "Condition",
    "Consent",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "Measure",
    "MeasureReport",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RiskAssessment",
    "ServiceRequest",
    "Subscription",
    "Task",
)
"""Every resource type that a partner can be shown."""

WRITABLE = {
    "AppointmentResponse": "c",
    "CarePlan": "cu",
    "DocumentReference": "cu",
    "Observation": "c",
    "Patient": "u",
    "QuestionnaireResponse": "c",
    "Subscription": "cud",
    "Task": "u",
}
"""What a partner may write (Patient `u` is `$link`)."""

_FORM = re.compile(r"^system/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)$")


def _ordered(letters: Iterable[str]) -> str:
    wanted = set(letters)
    return "".join(letter for letter in PERMISSIONS if letter in wanted)


def _subsets(letters: str) -> list[str]:
    """Every non-empty subset, each in SMART's order: `cu` gives c, u, cu."""
    found = [""]
    for letter in letters:
        found += [subset + letter for subset in found]
    return sorted(_ordered(subset) for subset in found if subset)


def _catalogue() -> tuple[str, ...]:
    read = [f"system/{name}.{letters}" for name in ("*", *READABLE) for letters in _subsets("rs")]
    write = [f"system/{name}.{letters}" for name, allowed in WRITABLE.items() for letters in _subsets(allowed)]
    return tuple(sorted(read + write))


SCOPES: tuple[str, ...] = _catalogue()
"""Every scope that exists, sorted. Reading and writing are asked for by separate scopes."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One parsed scope: a resource type or `*`, and letters of `cruds`."""

    resource: str
    permissions: str


def is_scope(text: str) -> bool:
    """Whether the catalogue has it."""
    return text in SCOPES


def parse(text: str) -> Scope | None:
    """The scope that `text` writes, or None where it isn't of the form `system/Type.cruds`."""
    match = _FORM.match(text)
    return Scope(match[1], match[2]) if match and match[2] else None


def allows(scopes: Iterable[str], resource_type: str, permission: str) -> bool:
    """Whether one of the scopes covers the permission (a letter of `cruds`) on that type.

    A scope outside the catalogue gives nothing, even where it is well formed.
    """
    granted = (parse(text) for text in scopes if is_scope(text))
    return any(s is not None and s.resource in ("*", resource_type) and permission in s.permissions for s in granted)
