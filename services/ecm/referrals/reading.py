"""What people of a YOT read: files, families, cases, forms."""

from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.api.referrals.v1.referrals_records_pb2 import Case, Child
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.referrals.commands.deciding import ref_of
from ecm.referrals.model.answers import tally_aces
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.identifiers import wanted
from ecm.referrals.model.refusals import missing
from ecm.referrals.store import CASE, CHILD, cases_of, family_of, find_children, form_of, get_case, get_child


async def read_child(tx: Tx, request: pb.GetChildRequest) -> pb.GetChildResponse:
    """The file as it is now."""
    child = await get_child(tx, request.child_id)
    return pb.GetChildResponse(ref=ref_of(child), child=child.content, yot=child.yot)


async def search_children(tx: Tx, request: pb.FindChildrenRequest) -> pb.FindChildrenResponse:
    """The files with the identifier, in the caller's YOTs; none is an empty answer."""
    sought = wanted(request.identifier, tx.region.local_identifier_base)
    found = [await tx.records.get(child_id, Child, kind=CHILD) for child_id in await find_children(tx, sought)]
    return pb.FindChildrenResponse(refs=[ref_of(child) for child in found])


async def list_family(tx: Tx, request: pb.ListFamilyMembersRequest) -> pb.ListFamilyMembersResponse:
    """The members of the family, in the order in which they were added."""
    child = await get_child(tx, request.child_id)
    members = await family_of(tx, child.record_id)
    listed = [pb.ListedFamilyMember(ref=ref_of(member), family_member=member.content) for member in members]
    return pb.ListFamilyMembersResponse(family_members=listed)


async def read_case(tx: Tx, request: pb.GetCaseRequest) -> pb.GetCaseResponse:
    """The case as it is now."""
    case = await get_case(tx, request.case_id)
    return pb.GetCaseResponse(ref=ref_of(case), case=case.content, child_id=str(case.child_id), yot=case.yot)


async def list_cases(tx: Tx, request: pb.ListCasesRequest) -> pb.ListCasesResponse:
    """The cases of a child or of a YOT, or of both, in some states; MISSING_VALUE where neither is said."""
    check_bounds(request)
    if request.child_id:
        found = await cases_of(tx, (await get_child(tx, request.child_id)).record_id)
    elif request.yot:
        found = await tx.records.list(CASE, Case)
    else:
        raise missing("child_id", "say whose cases: a child's, or a YOT's.")
    _check_yot(tx, request.yot)
    wanted_states = set(request.states)
    listed = [
        pb.ListedCase(ref=ref_of(case), case=case.content, child_id=str(case.child_id))
        for case in found
        if request.yot in ("", case.yot) and (not wanted_states or case.content.state in wanted_states)
    ]
    return pb.ListCasesResponse(cases=listed)


async def read_form(tx: Tx, request: pb.GetReferralFormRequest) -> pb.GetReferralFormResponse:
    """The form with its counts: yes, don't know and unanswered apart (57, 58). NOT_FOUND before the first save."""
    case = await get_case(tx, request.case_id)
    form = await form_of(tx, case.record_id)
    if form is None:
        raise DomainError(Reason.NOT_FOUND, "The case has no referral form yet.")
    aces = tally_aces(form.content.aces)
    return pb.GetReferralFormResponse(
        ref=ref_of(form),
        form=form.content,
        ace_count=aces.affirmed,
        ace_dont_know=aces.dont_know,
        ace_unanswered=aces.unanswered,
    )


async def list_record_versions(tx: Tx, request: pb.ListRecordVersionsRequest) -> pb.ListRecordVersionsResponse:
    """The record's versions above `after`, in order."""
    page = await tx.records.versions(parse_uuid(request.record_id, "record_id"), request.after)
    return pb.ListRecordVersionsResponse(versions=page.versions, more=page.more)


async def list_child_records(tx: Tx, request: pb.ListChildRecordsRequest) -> pb.ListChildRecordsResponse:
    """The newest version of each record of the child, closed ones too."""
    page = await tx.records.of_child(parse_uuid(request.child_id, "child_id"), request.page_token)
    return pb.ListChildRecordsResponse(versions=page.versions, next_page_token=page.next_page_token)


def _check_yot(tx: Tx, yot: str) -> None:
    """NOT_FOUND for a YOT that isn't the caller's, whether it exists or not."""
    if yot and not tx.scope.admits(yot):
        raise DomainError(Reason.NOT_FOUND, "There is no such YOT among yours.", field="yot")
