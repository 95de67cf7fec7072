"""AppointmentResponse → the answer to an invitation. https://hl7.org/fhir/R4/appointmentresponse.html"""

from typing import Final

from ecm.api.formulation.v1.formulation_records_pb2 import InvitationAnswer
from ecm.api.formulation.v1.formulation_service_pb2 import AnswerInvitationRequest
from ecm.exchange.intake.context import Found, Writer
from ecm.exchange.intake.elements import Element, invariant, missing
from ecm.exchange.intake.references import Named, named
from ecm.exchange.mapping.codes import ODS

# What is kept of an AppointmentResponse; here and in the profile `ecm-invitation-answer`.
ANSWER_ELEMENTS: Final = ("appointment", "actor", "participantStatus", "comment")
_LONGEST_COMMENT = 2_000
ANSWERS: Final = {
    "accepted": InvitationAnswer.INVITATION_ANSWER_ACCEPTED,
    "declined": InvitationAnswer.INVITATION_ANSWER_DECLINED,
    "tentative": InvitationAnswer.INVITATION_ANSWER_TENTATIVE,
}


def answer_references(root: Element) -> list[Named]:
    """The Appointment, and nothing else that is looked up."""
    return [named(root, "appointment", "Appointment")]


def answer_command(root: Element, writer: Writer, found: Found) -> AnswerInvitationRequest:
    """The agency's own answer. INVARIANT where the actor is somebody else, or the status no answer."""
    root.allow(*ANSWER_ELEMENTS, resource=True)
    _check_actor(root, writer)
    answer = ANSWERS[root.code("participantStatus", ANSWERS)]
    (appointment,) = answer_references(root)
    found(appointment)
    if found.invitation_id is None:
        raise invariant("Your agency isn't invited to this meeting.", appointment.path)
    comment = root.text("comment", most=_LONGEST_COMMENT)
    return AnswerInvitationRequest(invitation_id=str(found.invitation_id), answer=answer, comment=comment)


def _check_actor(root: Element, writer: Writer) -> None:
    """Invariant apr-1 wants an actor or a type; here the actor, who is the agency."""
    actor = root.child("actor")
    if actor is None:
        raise missing(root.at("actor"))
    actor.allow("reference", "identifier", "type", "display")
    identifier = actor.child("identifier")
    agency = writer.region.agency(writer.agency)
    if identifier is not None:
        written = (identifier.text("system"), identifier.text("value", required=True))
        ours = agency is not None and written in ((ODS, agency.ods), ("", agency.id))
    else:
        ours = actor.text("reference", required=True).endswith(writer.organization)
    if not ours:
        raise invariant(
            "The actor is your own agency's Organization.", actor.at("identifier" if identifier else "reference")
        )
