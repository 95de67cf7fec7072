"""Addresses and ways to reach somebody, as far as their form can be checked."""

import re
from collections.abc import Iterable

from ecm.api.referrals.v1.referrals_records_pb2 import CONTACT_KIND_EMAIL, CONTACT_KIND_PHONE, Address, Contact
from ecm.referrals.model.refusals import invalid, missing

_POSTCODE = re.compile(r"(GIR 0AA|[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2})")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{3,24}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_FORMS = {CONTACT_KIND_PHONE: _PHONE, CONTACT_KIND_EMAIL: _EMAIL}


def check_address(address: Address, field: str) -> None:
    """INVALID_VALUE for a postcode that isn't one of the United Kingdom in capitals with its blank."""
    if address.postcode and not _POSTCODE.fullmatch(address.postcode):
        raise invalid(f"{field}.postcode", 'isn\'t a postcode in capitals with its blank, e.g. "ZZ99 3VZ".')


def check_contacts(contacts: Iterable[Contact], field: str) -> None:
    """INVALID_VALUE or MISSING_VALUE for a contact whose kind or value isn't one."""
    for index, contact in enumerate(contacts):
        form = _FORMS.get(contact.kind)
        if form is None:
            raise missing(f"{field}[{index}].kind")
        if not form.fullmatch(contact.value):
            raise invalid(f"{field}[{index}].value", "isn't a telephone number or e-mail address as its kind says.")


def check_phone(value: str, field: str) -> None:
    """INVALID_VALUE for what isn't a telephone number."""
    if not _PHONE.fullmatch(value):
        raise invalid(field, "isn't a telephone number.")
