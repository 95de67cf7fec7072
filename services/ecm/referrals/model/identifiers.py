"""Identifiers that a child is found by: NHS number and the YOT's own number (checklist 44)."""

from dataclasses import dataclass
from enum import StrEnum

from ecm.api.common.v1.values_pb2 import Identifier
from ecm.api.referrals.v1.referrals_records_pb2 import Child
from ecm.referrals.model.refusals import invalid, required_text

NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"


class IdentifierKind(StrEnum):
    """What is unique within a YOT."""

    NHS_NUMBER = "nhs-number"
    LOCAL_CASE_NUMBER = "local-case-number"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to search by; `yot` "" is every YOT of the caller's."""

    kind: IdentifierKind
    value: str
    yot: str = ""


def identifiers_of(child: Child) -> dict[IdentifierKind, str]:
    """The identifiers that a file has. Case numbers that differ in case alone are the same."""
    found = {IdentifierKind.LOCAL_CASE_NUMBER: child.local_case_number.casefold()}
    if child.nhs_number:
        found[IdentifierKind.NHS_NUMBER] = child.nhs_number
    return found


def wanted(identifier: Identifier, local_base: str) -> Wanted:
    """What an identifier asks for; INVALID_VALUE for a system that isn't one of the two, MISSING_VALUE for no value.

    Local numbers stand under `{local_base}/case-number`, of one YOT under `…/{yot}`.
    """
    value = required_text(identifier.value, "identifier.value")
    if identifier.system == NHS_NUMBER_SYSTEM:
        return Wanted(IdentifierKind.NHS_NUMBER, value)
    local = f"{local_base}/case-number"
    if identifier.system != local and not identifier.system.startswith(f"{local}/"):
        raise invalid("identifier.system", f"must be {NHS_NUMBER_SYSTEM} or {local}/[yot].")
    yot = identifier.system.removeprefix(local).removeprefix("/")
    return Wanted(IdentifierKind.LOCAL_CASE_NUMBER, value.casefold(), yot)
