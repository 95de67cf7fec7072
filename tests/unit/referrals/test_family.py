"""The family: its tree holds together (checklist 111, 135, 146)."""

import pytest

from ecm.api.common.v1.values_pb2 import PartialDate
from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.kit.errors import Reason
from ecm.referrals.model.family import check_member, check_tree
from unit.referrals.builders import TODAY, refused


def member(**changes: object) -> pb.FamilyMember:
    values: dict[str, object] = {"given_names": ["Ondine"], "relationship": pb.RELATIONSHIP_MOTHER}
    return pb.FamilyMember(**(values | changes))  # type: ignore[arg-type]


def test_little_need_be_known() -> None:
    check_member(pb.FamilyMember(relationship=pb.RELATIONSHIP_GRANDPARENT), TODAY)
    check_member(member(date_of_birth=PartialDate(year=1988)), TODAY)


def test_the_relationship_is_required() -> None:
    with refused(Reason.MISSING_VALUE, "family_member.relationship"):
        check_member(member(relationship=0), TODAY)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("family_member.date_of_birth", {"date_of_birth": PartialDate(year=1988, day=3)}),
        ("family_member.date_of_birth", {"date_of_birth": PartialDate(year=1988, month=13)}),
        ("family_member.date_of_birth", {"date_of_birth": PartialDate(year=2026, month=12)}),
        ("family_member.date_of_birth", {"date_of_birth": PartialDate()}),
        (
            "family_member.date_of_death",
            {"date_of_birth": PartialDate(year=1988, month=5), "date_of_death": PartialDate(year=1988, month=4)},
        ),
        ("family_member.relationship", {"relationship": 99}),
    ],
)
def test_what_cannot_be_is_named(field: str, changes: dict[str, object]) -> None:
    with refused(Reason.INVALID_VALUE, field):
        check_member(member(**changes), TODAY)


def test_a_year_is_enough_to_die_in() -> None:
    check_member(member(date_of_birth=PartialDate(year=1988, month=5), date_of_death=PartialDate(year=1988)), TODAY)


def test_the_tree_names_members_of_this_family_alone() -> None:
    others = {"mother": member(), "gran": member(relationship=pb.RELATIONSHIP_GRANDPARENT)}
    check_tree("new", member(parent_ids=["mother", "child"], partner_ids=["gran"]), others)
    for field, changes in (
        ("family_member.parent_ids[0]", {"parent_ids": ["stranger"]}),
        ("family_member.parent_ids[0]", {"parent_ids": ["new"]}),
        ("family_member.parent_ids", {"parent_ids": ["mother", "mother"]}),
        ("family_member.partner_ids[0]", {"partner_ids": ["child"]}),
    ):
        with refused(Reason.INVALID_VALUE, field):
            check_tree("new", member(**changes), others)


def test_nobody_is_their_own_ancestor() -> None:
    others = {"gran": member(parent_ids=["mother"])}
    with refused(Reason.INVALID_VALUE, "family_member.parent_ids"):
        check_tree("mother", member(parent_ids=["gran"]), others)
