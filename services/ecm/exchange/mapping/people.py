"""Names, addresses and contacts, as Patient and RelatedPerson both have them."""

from collections.abc import Iterable
from typing import Any, Final

from ecm.api.referrals.v1.referrals_records_pb2 import Address, Contact, ContactKind, Gender

Json = dict[str, Any]

# R4's AdministrativeGender has no "asked, and not known" but `unknown`.
GENDERS: Final = {
    Gender.GENDER_MALE: "male",
    Gender.GENDER_FEMALE: "female",
    Gender.GENDER_OTHER: "other",
    Gender.GENDER_DONT_KNOW: "unknown",
}
_CONTACT_SYSTEMS: Final = {ContactKind.CONTACT_KIND_PHONE: "phone", ContactKind.CONTACT_KIND_EMAIL: "email"}


def name(given: Iterable[str], family: str, use: str = "") -> Json:
    """A HumanName; empty where both parts are."""
    parts: Json = {"family": family, "given": list(given)}
    return parts | {"use": use} if family or parts["given"] else {}


def address(value: Address) -> Json:
    """An Address in the United Kingdom."""
    return {"line": list(value.lines), "city": value.town, "postalCode": value.postcode}


def telecom(contacts: Iterable[Contact]) -> list[Json]:
    """ContactPoints; those without a value are left out."""
    return [
        {"system": _CONTACT_SYSTEMS.get(contact.kind, "other"), "value": contact.value}
        for contact in contacts
        if contact.value
    ]
