"""Invitations to a meeting and their answers (checklist 129 to 131)."""

from collections.abc import Iterable
from datetime import datetime

from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as requests
from ecm.formulation.model.meetings import check_attendee, check_scheduled
from ecm.formulation.model.values import PARAGRAPH, check_member, check_text, invalid
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region

_INVITED = frozenset({records.ATTENDEE_KIND_PROFESSIONAL, records.ATTENDEE_KIND_PSYCHOLOGIST})


def invited(
    request: requests.InviteAgencyRequest,
    meeting: records.Meeting,
    standing: Iterable[records.Invitation],
    region: Region,
) -> records.Invitation:
    """An agency's invitation. ATTENDEE_REFUSED for child and family, ALREADY_EXISTS for an agency invited already."""
    check_attendee(request.attendee_kind, "attendee_kind")
    if request.attendee_kind not in _INVITED:
        raise invalid("A professional or the psychologist is invited.", "attendee_kind")
    if region.agency(request.agency) is None:
        raise invalid("The region has no such agency.", "agency")
    check_text(request.role, "role", required=False)
    check_scheduled(meeting)
    if any(invitation.agency == request.agency for invitation in standing):
        raise DomainError(Reason.ALREADY_EXISTS, "The agency is invited to this meeting already.", field="agency")
    return records.Invitation(
        meeting_id=request.meeting_id,
        agency=request.agency,
        attendee_kind=request.attendee_kind,
        role=request.role,
        information_requested=request.information_requested,
    )


def answered(
    invitation: records.Invitation,
    request: requests.AnswerInvitationRequest,
    meeting: records.Meeting,
    now: datetime,
) -> records.Invitation:
    """The invitation with the agency's answer; a later answer replaces an earlier one. ILLEGAL_TRANSITION."""
    check_scheduled(meeting)
    check_member(request.answer, records.InvitationAnswer, "answer")
    check_text(request.comment, "comment", most=PARAGRAPH, required=False)
    reply = _copy(invitation)
    reply.answer = request.answer
    reply.comment = request.comment
    reply.answered_at.FromDatetime(now)
    return reply


def informed(invitation: records.Invitation) -> records.Invitation:
    """The invitation of an agency that sent information."""
    return _with_mode(invitation, records.CONTRIBUTION_MODE_SENT_INFORMATION)


def closed_by(invitation: records.Invitation, meeting: records.Meeting) -> records.Invitation:
    """The invitation with how its agency contributed in the end, by the attendance sheet (131)."""
    lines = [line for line in meeting.attendance if line.agency == invitation.agency]
    return _with_mode(invitation, lines[0].mode or records.CONTRIBUTION_MODE_ATTENDED if lines else _absent(invitation))


def _absent(invitation: records.Invitation) -> "records.ContributionMode.ValueType":
    if invitation.mode == records.CONTRIBUTION_MODE_SENT_INFORMATION:
        return invitation.mode
    declined = invitation.answer == records.INVITATION_ANSWER_DECLINED
    return records.CONTRIBUTION_MODE_APOLOGIES if declined else records.CONTRIBUTION_MODE_NO_REPLY


def _with_mode(invitation: records.Invitation, mode: "records.ContributionMode.ValueType") -> records.Invitation:
    changed = _copy(invitation)
    changed.mode = mode
    return changed


def _copy(invitation: records.Invitation) -> records.Invitation:
    copy = records.Invitation()
    copy.CopyFrom(invitation)
    return copy
