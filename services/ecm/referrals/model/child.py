"""The child's file: what it must and may hold (checklist 34 to 37, 44)."""

import re
from datetime import date

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.referrals.v1.referrals_records_pb2 import PLACEMENT_KIND_UNSPECIFIED, Child
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.codes import check_ethnic_category, check_language, check_urn
from ecm.referrals.model.contact import check_address, check_contacts
from ecm.referrals.model.dates import age_on, past_date
from ecm.referrals.model.nhs_number import Strictness, check_nhs_number
from ecm.referrals.model.refusals import invalid, missing, required_text

# Youth justice supervises children; an order may outlast an 18th birthday. Beyond 25 it is a mistyped year.
OLDEST = 25
_LOCAL_NUMBER = re.compile(r"[!-~]{1,40}")


def register(child: Child, today: date, strictness: Strictness) -> Child:
    """A new file. Flags are ignored: `ProtectDetail` sets them, through `consent`."""
    fresh = Child()
    fresh.CopyFrom(child)
    fresh.ClearField("protected_flags")
    if not fresh.HasField("date_of_birth"):
        raise missing("child.date_of_birth")
    check_birth(fresh, "child.date_of_birth", today)
    _check(fresh, strictness)
    return fresh


def revise(held: Child, child: Child, strictness: Strictness) -> Child:
    """The file with new details; the date of birth and the flags stay, which have commands of their own."""
    fresh = Child()
    fresh.CopyFrom(child)
    fresh.ClearField("protected_flags")
    fresh.protected_flags.extend(held.protected_flags)
    fresh.date_of_birth.CopyFrom(held.date_of_birth)
    _check(fresh, strictness)
    return fresh


def correct_birth(held: Child, born: Date) -> Child:
    """The file with another date of birth."""
    fresh = Child()
    fresh.CopyFrom(held)
    fresh.date_of_birth.CopyFrom(born)
    return fresh


def check_birth(child: Child, field: str, today: date) -> date:
    """The date of birth; INVALID_VALUE where it doesn't exist, lies ahead, or makes the child older than 25."""
    born = past_date(child.date_of_birth, field, today)
    if age_on(born, today) > OLDEST:
        raise invalid(field, f"makes the child older than {OLDEST} years.")
    return born


def _check(child: Child, strictness: Strictness) -> None:
    check_bounds(child, "child")
    _check_names(child)
    if not child.local_case_number:
        raise missing("child.local_case_number")
    if not _LOCAL_NUMBER.fullmatch(child.local_case_number):
        raise invalid("child.local_case_number", "1 to 40 visible ASCII characters without blanks.")
    if child.nhs_number:
        check_nhs_number(child.nhs_number, "child.nhs_number", strictness)
    _check_details(child)


def _check_names(child: Child) -> None:
    if not child.given_names:
        raise missing("child.given_names")
    for index, name in enumerate(child.given_names):
        required_text(name, f"child.given_names[{index}]")
    required_text(child.family_name, "child.family_name")


def _check_details(child: Child) -> None:
    check_ethnic_category(child.ethnic_category, "child.ethnic_category")
    check_language(child.language, "child.language")
    check_address(child.address, "child.address")
    check_contacts(child.contacts, "child.contacts")
    check_urn(child.school.urn, "child.school.urn")
    if child.HasField("placement"):
        if child.placement.kind == PLACEMENT_KIND_UNSPECIFIED:
            raise missing("child.placement.kind")
        check_address(child.placement.address, "child.placement.address")
