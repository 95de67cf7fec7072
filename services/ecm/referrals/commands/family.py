"""The child's family (checklist 2, 111, 135)."""

from collections.abc import Iterable
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1.referrals_records_pb2 import FamilyMember
from ecm.api.referrals.v1.referrals_service_pb2 import AddFamilyMemberRequest, UpdateFamilyMemberRequest
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.ids import parse_uuid
from ecm.referrals.commands.deciding import check_version, ref_of
from ecm.referrals.model.family import check_member, check_tree
from ecm.referrals.store import FAMILY_MEMBER, family_of, get_child


async def add_family_member(tx: Tx, request: AddFamilyMemberRequest) -> RecordRef:
    """A new member of the family."""
    # Locked, so that two members added at once can't make a circle of each other.
    child = await get_child(tx, request.child_id, lock=True)
    member_id = tx.ids.uuid()
    check_member(request.family_member, tx.today)
    check_tree(str(member_id), request.family_member, _tree(await family_of(tx, child.record_id)))
    made = await tx.records.create(
        FAMILY_MEMBER, request.family_member, child_id=child.record_id, yot=child.yot, record_id=member_id
    )
    return ref_of(made)


async def update_family_member(tx: Tx, request: UpdateFamilyMemberRequest) -> RecordRef:
    """The member with new details."""
    member_id = parse_uuid(request.family_member_id, "family_member_id")
    held = await _locked(tx, member_id)
    check_version(held.version, request.expected_version)
    check_member(request.family_member, tx.today)
    others = _tree(other for other in await family_of(tx, held.child_id) if other.record_id != member_id)
    check_tree(str(member_id), request.family_member, others)
    return ref_of(await tx.records.update(held, request.family_member))


async def _locked(tx: Tx, member_id: UUID) -> Record[FamilyMember]:
    found = await tx.records.get(member_id, FamilyMember, kind=FAMILY_MEMBER)
    await get_child(tx, str(found.child_id), lock=True)
    return await tx.records.get(member_id, FamilyMember, kind=FAMILY_MEMBER, lock=True)


def _tree(members: Iterable[Record[FamilyMember]]) -> dict[str, FamilyMember]:
    return {str(member.record_id): member.content for member in members}
