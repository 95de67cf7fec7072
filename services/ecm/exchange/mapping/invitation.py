"""Invitation → Task for the invited agency; once answered also its AppointmentResponse (checklist 129 to 131).

https://hl7.org/fhir/R4/task.html, …/appointmentresponse.html
"""

from functools import partial
from typing import Final

from ecm.api.formulation.v1.formulation_records_pb2 import ContributionMode, Invitation, InvitationAnswer
from ecm.exchange.mapping import codes, ids
from ecm.exchange.mapping.categories import INVITATION
from ecm.exchange.mapping.elements import enum_code, enum_concept, instant
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import ALL_VIEWS, View
from ecm.exchange.mapping.vocabulary import own

_STATUS: Final = {
    InvitationAnswer.INVITATION_ANSWER_ACCEPTED: "accepted",
    InvitationAnswer.INVITATION_ANSWER_DECLINED: "rejected",
    InvitationAnswer.INVITATION_ANSWER_TENTATIVE: "received",
}
_OVER: Final = frozenset(
    {ContributionMode.CONTRIBUTION_MODE_ATTENDED, ContributionMode.CONTRIBUTION_MODE_SENT_INFORMATION}
)


def map_invitation(source: Source[Invitation]) -> list[MappedResource]:
    """What is asked of one agency, and its answer: for that agency alone."""
    invitation = source.content
    agency = invitation.agency
    found = [source.resource("Task", partial(_task, source), INVITATION, views=ALL_VIEWS, only_for=agency)]
    if invitation.answer:
        answer = partial(_response, source)
        found.append(source.resource("AppointmentResponse", answer, INVITATION, views=ALL_VIEWS, only_for=agency))
    return found


def _task(source: Source[Invitation], _view: View) -> Json:
    invitation = source.content
    status = "completed" if invitation.mode in _OVER else _STATUS.get(invitation.answer, "requested")
    return {
        "status": status,
        "businessStatus": enum_concept(codes.MEETING, ContributionMode, invitation.mode),
        "intent": "order",
        "code": own(codes.REQUEST, "formulation-invitation"),
        "focus": ids.reference(invitation.meeting_id, "Appointment") if invitation.meeting_id else None,
        "for": source.subject,
        "requester": source.context.yot(source.yot),
        "owner": source.context.organization(invitation.agency),
        "performerType": [{"text": invitation.role}],
        "input": [_information_requested()] if invitation.information_requested else [],
    }


def _information_requested() -> Json:
    kind = own(codes.REQUEST, "written-information")
    return {"type": kind, "valueBoolean": True}


def _response(source: Source[Invitation], view: View) -> Json | None:
    invitation = source.content
    if not invitation.meeting_id:
        return None
    return {
        "appointment": ids.reference(invitation.meeting_id, "Appointment"),
        "actor": source.context.organization(invitation.agency),
        "participantStatus": enum_code(InvitationAnswer, invitation.answer),
        # The agency's own words, undeclared.
        "comment": invitation.comment if view is View.FULL else None,
    } | _answered(invitation)


def _answered(invitation: Invitation) -> Json:
    at = instant(invitation.answered_at)
    return {"extension": [{"url": codes.ANSWERED_AT, "valueInstant": at}]} if at else {}
