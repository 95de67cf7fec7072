"""Members of the child's family, and that their tree holds together (checklist 2, 111, 135, 146)."""

from collections.abc import Mapping, Sequence
from datetime import date

from ecm.api.referrals.v1.referrals_records_pb2 import RELATIONSHIP_UNSPECIFIED, FamilyMember
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.contact import check_address, check_contacts
from ecm.referrals.model.dates import check_partial, precedes
from ecm.referrals.model.refusals import invalid, missing

CHILD = "child"
"""Stands for the child itself among a member's parents."""

Tree = Mapping[str, FamilyMember]
"""The members of one child's family by record id."""


def check_member(member: FamilyMember, today: date) -> None:
    """INVALID_VALUE or MISSING_VALUE for the member by itself; names may be unknown."""
    check_bounds(member, "family_member")
    if member.relationship == RELATIONSHIP_UNSPECIFIED:
        raise missing("family_member.relationship")
    for name in ("date_of_birth", "date_of_death"):
        if member.HasField(name):
            check_partial(getattr(member, name), f"family_member.{name}", today)
    if _died_before_birth(member):
        raise invalid("family_member.date_of_death", "is before the date of birth.")
    check_address(member.address, "family_member.address")
    check_contacts(member.contacts, "family_member.contacts")


def check_tree(member_id: str, member: FamilyMember, others: Tree) -> None:
    """INVALID_VALUE where the tree names somebody unknown or twice, the member itself, or goes in a circle."""
    _check_ids(member.parent_ids, {*others, CHILD} - {member_id}, "family_member.parent_ids")
    _check_ids(member.partner_ids, set(others) - {member_id}, "family_member.partner_ids")
    if member_id in _ancestors(member, others):
        raise invalid("family_member.parent_ids", "makes somebody their own ancestor.")


def _check_ids(ids: Sequence[str], known: set[str], field: str) -> None:
    for index, parent in enumerate(ids):
        if parent not in known:
            raise invalid(f"{field}[{index}]", "isn't another member of this child's family.")
    if len(set(ids)) < len(ids):
        raise invalid(field, "names somebody twice.")


def _ancestors(member: FamilyMember, others: Tree) -> set[str]:
    found: set[str] = set()
    waiting = list(member.parent_ids)
    while waiting:
        parent = waiting.pop()
        if parent not in found:
            found.add(parent)
            waiting.extend(others[parent].parent_ids if parent in others else ())
    return found


def _died_before_birth(member: FamilyMember) -> bool:
    both = member.HasField("date_of_birth") and member.HasField("date_of_death")
    return both and not precedes(member.date_of_birth, member.date_of_death)
