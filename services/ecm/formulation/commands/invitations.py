"""Invitations, answers and written contributions (checklist 129 to 131, 221)."""

from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Invitation, Meeting
from ecm.formulation.commands.cases import open_case
from ecm.formulation.commands.narrowing import check_not_cancelling
from ecm.formulation.model import contributions, invitations
from ecm.formulation.model.authors import author_of
from ecm.formulation.model.values import not_found
from ecm.formulation.peers import Peers
from ecm.formulation.store import create, load, of_case, ref_of
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx


async def invite_agency(peers: Peers, tx: Tx, request: pb.InviteAgencyRequest) -> RecordRef:
    """Invites an agency to a scheduled meeting."""
    meeting = await load(tx, request.meeting_id, Meeting, "meeting_id", lock=True)
    await check_not_cancelling(tx, meeting.record_id)
    case = await open_case(peers, tx, str(meeting.case_id))
    standing = [found.content for found in await _to_meeting(tx, meeting)]
    return ref_of(await create(tx, case, invitations.invited(request, meeting.content, standing, tx.region)))


async def answer_invitation(tx: Tx, request: pb.AnswerInvitationRequest) -> RecordRef:
    """Notes the invited agency's answer. NOT_FOUND for every other agency."""
    invitation = await load(tx, request.invitation_id, Invitation, "invitation_id", lock=True)
    if invitation.content.agency != tx.principal.agency:
        raise not_found("invitation")
    meeting = await load(tx, invitation.content.meeting_id, Meeting, "invitation_id")
    answered = invitations.answered(invitation.content, request, meeting.content, tx.now)
    return ref_of(await tx.records.update(invitation, answered))


async def contribute_information(peers: Peers, tx: Tx, request: pb.ContributeInformationRequest) -> RecordRef:
    """Keeps what an invited agency sends, as it sent it. NOT_FOUND for an agency that isn't invited."""
    agency = tx.principal.agency
    meeting = await load(tx, request.meeting_id, Meeting, "meeting_id")
    mine = [found for found in await _to_meeting(tx, meeting) if found.content.agency == agency]
    if not mine:
        raise not_found("meeting")
    case = await open_case(peers, tx, str(meeting.case_id))
    author = author_of(tx.principal, tx.region)
    made = await create(tx, case, contributions.contributed(request, meeting.content, agency, author, tx.now))
    await _note_information(tx, mine[0].record_id)
    return ref_of(made)


async def _note_information(tx: Tx, invitation_id: UUID) -> None:
    invitation = await tx.records.get(invitation_id, Invitation, lock=True)
    await tx.records.update(invitation, invitations.informed(invitation.content))


async def _to_meeting(tx: Tx, meeting: Record[Meeting]) -> list[Record[Invitation]]:
    meeting_id = str(meeting.record_id)
    return await of_case(tx, meeting.case_id, Invitation, lambda found: found.meeting_id == meeting_id)
