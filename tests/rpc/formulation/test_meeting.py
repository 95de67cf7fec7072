"""Meeting and invitations (checklist 88 to 90, 129 to 132, 157 to 167)."""

import pytest

from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.kit.errors import Reason
from rpc.formulation.conftest import Formulation, refused
from rpc.formulation.journey import AUTHORITY, PSYCHOLOGY, CaseWay, at, hold, invite, schedule, sheet


async def test_a_meeting_from_date_to_attendance(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    meeting = await way.scheduled()
    invitation = await way.invited(meeting)
    answer = pb.AnswerInvitationRequest(invitation_id=invitation.record_id, answer=records.INVITATION_ANSWER_ACCEPTED)
    await formulation.partner(AUTHORITY, "AnswerInvitation", answer)
    note = Document(content_type="text/plain", content=b"Known since 2019.", title="Information")
    contribution = pb.ContributeInformationRequest(meeting_id=meeting.record_id, document=note)
    await formulation.partner(AUTHORITY, "ContributeInformation", contribution)
    way.begun()
    await formulation.person("senior-practitioner", "HoldMeeting", hold(meeting))

    found = await formulation.person("case-manager", "GetMeeting", pb.GetMeetingRequest(meeting_id=meeting.record_id))
    assert found.meeting.state == records.MEETING_STATE_HELD
    assert (found.case_id, found.child_id) == (str(way.case), str(way.child))
    assert [each.invitation.answer for each in found.invitations] == [records.INVITATION_ANSWER_ACCEPTED]
    assert found.invitations[0].invitation.mode == records.CONTRIBUTION_MODE_SENT_INFORMATION
    listed = pb.ListContributionsRequest(meeting_id=meeting.record_id)
    (kept,) = (await formulation.person("case-manager", "ListContributions", listed)).contributions
    assert kept.contribution.document == note
    assert not kept.contribution.document.HasField("declaration")


@pytest.mark.parametrize("state", ["DISCUSSED", "REFERRED", "PANEL_APPROVAL", "CLOSED", "NOT_CARRIED_FORWARD"])
async def test_no_date_before_the_case_is_accepted_nor_after_its_end(formulation: Formulation, state: str) -> None:
    way = CaseWay.of(formulation, state)
    assert (await refused(way.scheduled())).reason is Reason.ILLEGAL_TRANSITION


async def test_a_case_that_is_accepted_meanwhile_gets_its_date(formulation: Formulation) -> None:
    way = CaseWay.of(formulation, "REFERRED")
    await refused(way.scheduled())
    formulation.others.move(way.child, way.case, "ACCEPTED")
    assert (await way.scheduled()).version == 1


async def test_without_consent_neither_date_nor_meeting(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    formulation.others.closed_gates[str(way.case)] = "The child hasn't signed."
    refusal = await refused(way.scheduled())
    assert (refusal.reason, refusal.message) == (Reason.CONSENT_REQUIRED, "The child hasn't signed.")
    formulation.others.closed_gates.clear()
    meeting = await way.scheduled()
    formulation.others.closed_gates[str(way.case)] = "Withdrawn."
    call = formulation.person("senior-practitioner", "HoldMeeting", hold(meeting))
    assert (await refused(call)).reason is Reason.CONSENT_REQUIRED


async def test_with_consent_away_nothing_goes_on(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    formulation.others.away = True
    assert (await refused(way.scheduled())).reason is Reason.CONSENT_UNREACHABLE
    formulation.others.away = False
    listed = await formulation.person("case-manager", "ListMeetings", pb.ListMeetingsRequest(case_id=str(way.case)))
    assert not listed.refs


async def test_another_yots_case_isnt_there(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    call = formulation.person("other-case-manager", "ScheduleMeeting", schedule(way.case))
    assert (await refused(call)).reason is Reason.NOT_FOUND
    meeting = await way.scheduled()
    read = pb.GetMeetingRequest(meeting_id=meeting.record_id)
    assert (await refused(formulation.person("other-case-manager", "GetMeeting", read))).reason is Reason.NOT_FOUND


@pytest.mark.parametrize("kind", [records.ATTENDEE_KIND_CHILD, records.ATTENDEE_KIND_FAMILY])
async def test_child_and_family_are_refused(formulation: Formulation, kind: "records.AttendeeKind.ValueType") -> None:
    way = CaseWay.of(formulation)
    meeting = await way.scheduled()
    asked = formulation.person("case-manager", "InviteAgency", invite(meeting.record_id, attendee_kind=kind))
    assert (await refused(asked)).reason is Reason.ATTENDEE_REFUSED
    way.begun()
    name = records.AttendeeKind.Name(kind).removeprefix("ATTENDEE_KIND_")
    held = formulation.person(
        "senior-practitioner", "HoldMeeting", hold(meeting, attendance=sheet("PSYCHOLOGIST", name))
    )
    assert (await refused(held)).reason is Reason.ATTENDEE_REFUSED


async def test_a_meeting_closes_with_a_review_date_and_the_psychologist(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    meeting = await way.scheduled()
    way.begun()
    supervision = [records.FollowUp(supervision=True, at=at(60))]
    for request in (hold(meeting, follow_ups=supervision), hold(meeting, attendance=sheet("CASE_MANAGER"))):
        refusal = await refused(formulation.person("senior-practitioner", "HoldMeeting", request))
        assert refusal.reason is Reason.MISSING_VALUE


async def test_no_meeting_is_held_before_it_begins(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    meeting = await way.scheduled()
    refusal = await refused(formulation.person("senior-practitioner", "HoldMeeting", hold(meeting)))
    assert refusal.reason is Reason.ILLEGAL_TRANSITION
    assert "begins at" in refusal.message
    way.begun()
    assert (await formulation.person("senior-practitioner", "HoldMeeting", hold(meeting))).ref.version == 2


async def test_only_the_invited_agency_answers_and_contributes(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    meeting = await way.scheduled()
    invitation = await way.invited(meeting)
    answer = pb.AnswerInvitationRequest(invitation_id=invitation.record_id, answer=records.INVITATION_ANSWER_DECLINED)
    note = Document(content_type="text/plain", content=b"x")
    contribution = pb.ContributeInformationRequest(meeting_id=meeting.record_id, document=note)
    for agency in (PSYCHOLOGY, "custody-northgate"):
        for method, request in (("AnswerInvitation", answer), ("ContributeInformation", contribution)):
            assert (await refused(formulation.partner(agency, method, request))).reason is Reason.NOT_FOUND


async def test_a_cancelled_invitation_is_told_to_consent_and_gone(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    meeting = await way.scheduled()
    invitation = await way.invited(meeting)
    request = pb.CancelInvitationRequest(invitation_id=invitation.record_id, expected_version=1, reason="By mistake.")
    await formulation.person("supervisor", "CancelInvitation", request)

    told = {n.record.agency for n in formulation.others.narrowed if n.record.record_id == invitation.record_id}
    assert told == {AUTHORITY, ""}
    answer = pb.AnswerInvitationRequest(invitation_id=invitation.record_id, answer=records.INVITATION_ANSWER_ACCEPTED)
    assert (await refused(formulation.partner(AUTHORITY, "AnswerInvitation", answer))).reason is Reason.NOT_FOUND
    assert (await way.invited(meeting)).record_id != invitation.record_id


async def test_a_narrowing_is_recorded_while_consent_is_away_and_completed_later(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    meeting = await way.scheduled()
    invitation = await way.invited(meeting)
    request = pb.CancelMeetingRequest(meeting_id=meeting.record_id, expected_version=1, reason="Ill.")
    formulation.others.away = True
    away = await refused(formulation.person("case-manager", "CancelMeeting", request, "cancel-it-once"))
    assert away.reason is Reason.CONSENT_UNREACHABLE
    formulation.others.away = False
    asked = formulation.person("case-manager", "InviteAgency", invite(meeting.record_id, PSYCHOLOGY))
    assert (await refused(asked)).reason is Reason.ILLEGAL_TRANSITION

    await formulation.person("case-manager", "CancelMeeting", request, "cancel-it-once")
    found = await formulation.person("case-manager", "GetMeeting", pb.GetMeetingRequest(meeting_id=meeting.record_id))
    assert found.meeting.state == records.MEETING_STATE_CANCELLED
    assert not found.invitations
    assert invitation.record_id in {narrowing.record.record_id for narrowing in formulation.others.narrowed}


async def test_a_repeated_command_is_one_command(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    request = schedule(way.case)
    first = await formulation.person("case-manager", "ScheduleMeeting", request, "schedule-once")
    assert await formulation.person("case-manager", "ScheduleMeeting", request, "schedule-once") == first
    again = formulation.person("case-manager", "ScheduleMeeting", schedule(way.case))
    assert (await refused(again)).reason is Reason.ILLEGAL_TRANSITION
