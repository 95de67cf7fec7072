"""What `referrals` keeps: its kinds of records, and the identifiers of children."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from ecm.api.referrals.v1 import referrals_events_pb2 as events
from ecm.api.referrals.v1.referrals_records_pb2 import Assessment, Case, Child, FamilyMember, ReferralForm
from ecm.kit.db.changes import Kinds, RecordEvents
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.referrals.model.identifiers import IdentifierKind, Wanted, identifiers_of
from ecm.referrals.tables import child_identifier

CHILD, FAMILY_MEMBER, CASE, REFERRAL_FORM, ASSESSMENT = "CHILD", "FAMILY_MEMBER", "CASE", "REFERRAL_FORM", "ASSESSMENT"

KINDS: Kinds = {
    CHILD: (events.RECORD_KIND_CHILD, Child),
    FAMILY_MEMBER: (events.RECORD_KIND_FAMILY_MEMBER, FamilyMember),
    CASE: (events.RECORD_KIND_CASE, Case),
    REFERRAL_FORM: (events.RECORD_KIND_REFERRAL_FORM, ReferralForm),
    ASSESSMENT: (events.RECORD_KIND_ASSESSMENT, Assessment),
}

_FIELDS = {
    IdentifierKind.NHS_NUMBER: "child.nhs_number",
    IdentifierKind.LOCAL_CASE_NUMBER: "child.local_case_number",
}


def record_events() -> RecordEvents:
    """How this service's records become events."""
    return RecordEvents(KINDS, events.RecordChanged)


async def get_child(tx: Tx, child_id: str, *, lock: bool = False) -> Record[Child]:
    """The child's file; NOT_FOUND also for another YOT's."""
    return await tx.records.get(parse_uuid(child_id, "child_id"), Child, kind=CHILD, lock=lock)


async def get_case(tx: Tx, case_id: str, *, lock: bool = False) -> Record[Case]:
    """The case; NOT_FOUND also for another YOT's."""
    return await tx.records.get(parse_uuid(case_id, "case_id"), Case, kind=CASE, lock=lock)


async def family_of(tx: Tx, child_id: UUID) -> list[Record[FamilyMember]]:
    """The members of a child's family, in the order in which they were added."""
    return await tx.records.list(FAMILY_MEMBER, FamilyMember, child_id=child_id)


async def cases_of(tx: Tx, child_id: UUID) -> list[Record[Case]]:
    """The child's cases, oldest first."""
    return await tx.records.list(CASE, Case, child_id=child_id)


async def form_of(tx: Tx, case_id: UUID) -> Record[ReferralForm] | None:
    """The case's form, where one was saved; a case has one, in versions."""
    found = await tx.records.list(REFERRAL_FORM, ReferralForm, case_id=case_id)
    return found[0] if found else None


async def assessment_of(tx: Tx, case_id: UUID) -> Record[Assessment] | None:
    """The case's AssetPlus assessment, where one was attached; a case has one, in versions."""
    found = await tx.records.list(ASSESSMENT, Assessment, case_id=case_id)
    return found[0] if found else None


async def claim_identifiers(tx: Tx, child_id: UUID, yot: str, child: Child) -> None:
    """Makes the file's identifiers those of the child, instead of the ones before.

    ALREADY_EXISTS where another file of the YOT has one of them. Two commands with
    the same number at once: the second waits for the first, and is refused.
    """
    await tx.conn.execute(delete(child_identifier).where(child_identifier.c.child_id == child_id))
    for kind, value in identifiers_of(child).items():
        row = {"yot": yot, "kind": kind.value, "value": value, "child_id": child_id}
        statement = insert(child_identifier).values(row).on_conflict_do_nothing()
        if (await tx.conn.execute(statement.returning(child_identifier.c.child_id))).first() is None:
            message = f"Another file of this YOT has this {kind.value.replace('-', ' ')}; find it with FindChildren."
            raise DomainError(Reason.ALREADY_EXISTS, message, field=_FIELDS[kind])


async def find_children(tx: Tx, sought: Wanted) -> Sequence[UUID]:
    """Record ids of the files with the identifier, in the YOTs that the caller may see."""
    t = child_identifier.c
    query = select(t.child_id).where(t.kind == sought.kind.value, t.value == sought.value)
    if sought.yot:
        query = query.where(t.yot == sought.yot)
    if tx.scope.yots is not None:
        query = query.where(t.yot.in_(sorted(tx.scope.yots)))
    return (await tx.conn.execute(query.order_by(t.yot, t.child_id))).scalars().all()
