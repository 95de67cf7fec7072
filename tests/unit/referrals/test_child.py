"""The child's file: every value is checked, and its field is named (checklist 34 to 44)."""

from datetime import date, timedelta

import pytest

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.kit.errors import Reason
from ecm.referrals.model.child import register, revise
from ecm.referrals.model.dates import age_on
from unit.referrals.builders import BORN, TODAY, child, day, refused


def test_a_file_needs_little() -> None:
    made = register(child(nhs_number=""), TODAY, "strict")
    assert made.family_name == "Zephyrson"


def test_flags_are_not_taken_from_a_registration() -> None:
    flagged = child(protected_flags=[pb.ProtectedFlag(kind=1)])
    assert not register(flagged, TODAY, "strict").protected_flags


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("child.given_names", {"given_names": []}),
        ("child.given_names[1]", {"given_names": ["A", "  "]}),
        ("child.family_name", {"family_name": " "}),
        ("child.local_case_number", {"local_case_number": ""}),
        ("child.date_of_birth", {"date_of_birth": None}),
        ("child.placement.kind", {"placement": pb.Placement(name="Nowhere House")}),
    ],
)
def test_what_is_missing_is_named(field: str, changes: dict[str, object]) -> None:
    with refused(Reason.MISSING_VALUE, field):
        register(child(**changes), TODAY, "strict")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("child.date_of_birth", {"date_of_birth": Date(year=2012, month=2, day=30)}),
        ("child.date_of_birth", {"date_of_birth": Date(year=12, month=2, day=3)}),
        ("child.date_of_birth", {"date_of_birth": day(TODAY + timedelta(days=1))}),
        ("child.date_of_birth", {"date_of_birth": day(date(2000, 11, 24))}),
        ("child.family_name", {"family_name": "x" * 201}),
        ("child.family_name", {"family_name": "Zephyr\nson"}),
        ("child.given_names", {"given_names": ["A"] * 51}),
        ("child.gender", {"gender": 9}),
        ("child.contacts[0].kind", {"contacts": [pb.Contact(kind=7, value="01632 960001")]}),
        ("child.contacts[0].value", {"contacts": [pb.Contact(kind=2, value="not an address")]}),
        ("child.ethnic_category", {"ethnic_category": "X"}),
        ("child.language", {"language": "English"}),
        ("child.local_case_number", {"local_case_number": "EV 1"}),
        ("child.address.postcode", {"address": pb.Address(postcode="zz993vz")}),
        ("child.school.urn", {"school": pb.School(name="Nowhere", urn="12")}),
        ("child.nhs_number", {"nhs_number": "999 000 0018"}),
    ],
)
def test_what_is_wrong_is_named(field: str, changes: dict[str, object]) -> None:
    with refused(Reason.INVALID_VALUE, field):
        register(child(**changes), TODAY, "strict")


def test_a_revision_keeps_birth_and_flags() -> None:
    held = child(protected_flags=[pb.ProtectedFlag(kind=1)])
    fresh = revise(held, child(family_name="Other", date_of_birth=day(TODAY), protected_flags=[]), "strict")
    assert (fresh.family_name, fresh.date_of_birth, list(fresh.protected_flags)) == (
        "Other",
        held.date_of_birth,
        list(held.protected_flags),
    )


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (BORN, date(2026, 6, 14), 13),
        (BORN, date(2026, 6, 15), 14),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
        (date(2012, 2, 29), date(2028, 2, 29), 16),
    ],
)
def test_ages_are_whole_years(born: date, on: date, age: int) -> None:
    assert age_on(born, on) == age
