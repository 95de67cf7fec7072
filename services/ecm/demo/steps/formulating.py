"""Step 6: the meeting, its invitations and contributions, and the timeline (checklist 88 to 90, 129 to 156)."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as messages
from ecm.demo import fhir, material
from ecm.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY, Journey, expect, expect_status, until
from ecm.demo.partner import Resource
from ecm.demo.steps.referring import MANAGER, SENIOR
from ecm.demo.timeline import timeline

ODS_CODE = "XLA01"


def meet(journey: Journey) -> list[str]:
    """Schedule, invite, answer, contribute, draw the timeline, hold the meeting."""
    _schedule(journey)
    refused = _family_refused(journey)
    _invite(journey)
    lines = [f"a family member is refused: {refused}", *_answer_and_contribute(journey), _draw(journey)]
    _hold(journey)
    return [*lines, "held: attendance, circulation agreed with the local authority, first review date set"]


def meeting(journey: Journey, starts: datetime) -> messages.ScheduleMeetingRequest:
    """A meeting of three hours about the child of the journey."""
    return messages.ScheduleMeetingRequest(
        case_id=journey.ids["case"],
        starts_at=stamp(starts),
        ends_at=stamp(starts + timedelta(hours=3)),
        location="Eastvale YOT, long room",
        purpose="To understand the child's history together; what is gathered informs how the YOT works.",
        room_booked=True,
    )


def _schedule(journey: Journey) -> None:
    request = meeting(journey, datetime.now(UTC) + timedelta(seconds=journey.notice))
    journey.command(MANAGER, journey.yot.formulation.ScheduleMeeting, request, "meeting")


def _family_refused(journey: Journey) -> str:
    request = messages.InviteAgencyRequest(
        meeting_id=journey.ids["meeting"],
        agency=LOCAL_AUTHORITY,
        attendee_kind=records.ATTENDEE_KIND_FAMILY,
        role="mother",
    )
    try:
        journey.yot.call(MANAGER, journey.yot.formulation.InviteAgency, request)
    except grpc.RpcError as error:
        return str(error.details())
    raise AssertionError("a family member was invited")


def _invite(journey: Journey) -> None:
    kinds = {PSYCHOLOGY: records.ATTENDEE_KIND_PSYCHOLOGIST, LOCAL_AUTHORITY: records.ATTENDEE_KIND_PROFESSIONAL}
    for agency, kind in kinds.items():
        request = messages.InviteAgencyRequest(
            meeting_id=journey.ids["meeting"],
            agency=agency,
            attendee_kind=kind,
            role="clinical psychologist" if agency == PSYCHOLOGY else "social worker",
            information_requested=agency == LOCAL_AUTHORITY,
        )
        journey.command(MANAGER, journey.yot.formulation.InviteAgency, request, f"invitation-{agency}")


def _answer_and_contribute(journey: Journey) -> list[str]:
    authority = journey.local_authority
    appointment = until(lambda: _invited_to(journey), "the local authority sees its invitation")
    patient = authority.patient(journey.subject.identifier)
    expect(patient is not None and "address" not in patient, "its Patient is the minimum")
    answer = authority.create(fhir.appointment_response(appointment["id"], ODS_CODE))
    expect_status(answer, HTTPStatus.CREATED, "the answer is taken")
    document = fhir.contribution(str((patient or {})["id"]), appointment["id"])
    contributed = authority.create(document)
    expect_status(contributed, HTTPStatus.CREATED, "the information is taken")
    request = messages.ListContributionsRequest(meeting_id=journey.ids["meeting"])
    held = journey.yot.call(MANAGER, journey.yot.formulation.ListContributions, request).contributions
    expect(len(held) == 1, "the contribution stands in formulation")
    journey.posted.append(str(contributed.headers["Location"]))
    return ["the local authority sees the invitation's minimum, accepts, and sends written information"]


def _invited_to(journey: Journey) -> Resource | None:
    """The Appointment, once the agency's own Task has arrived too."""
    seen = {
        resource["resourceType"]: resource
        for resource in journey.local_authority.everything(journey.subject.identifier)
    }
    return seen.get("Appointment") if "Task" in seen else None


def _draw(journey: Journey) -> str:
    formulation = journey.yot.formulation
    for number, entry in enumerate(timeline(journey.subject)):
        request = messages.AddTimelineEntryRequest(case_id=journey.ids["case"], entry=entry)
        journey.command(SENIOR, formulation.AddTimelineEntry, request, f"entry-{number}")
    genogram = messages.DrawGenogramRequest(
        case_id=journey.ids["case"], key_information=[material.free("Moved home twice")]
    )
    journey.command(MANAGER, formulation.DrawGenogram, genogram, "genogram")
    draw = messages.DrawTimelineRequest(case_id=journey.ids["case"])
    journey.command(SENIOR, formulation.DrawTimeline, draw, "timeline")
    get = messages.GetTimelineRequest(case_id=journey.ids["case"])
    drawing = journey.yot.call(SENIOR, formulation.GetTimeline, get).timeline
    path = _keep(journey, "timeline.svg", drawing.drawing.content)
    return f"timeline of {drawing.entries} entries drawn: {path}"


def _keep(journey: Journey, name: str, content: bytes) -> Path:
    path = journey.stack.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def _hold(journey: Journey) -> None:
    until(lambda: _begun(journey), "the meeting has begun")
    review = datetime.now(UTC) + timedelta(days=60)
    request = messages.HoldMeetingRequest(
        meeting_id=journey.ids["meeting"],
        expected_version=journey.versions["meeting"],
        attendance=[
            _present(records.ATTENDEE_KIND_PSYCHOLOGIST, "clinical psychologist", PSYCHOLOGY),
            _present(records.ATTENDEE_KIND_CASE_MANAGER, "case manager", "yot-eastvale"),
            _present(records.ATTENDEE_KIND_SENIOR_PRACTITIONER, "senior practitioner", "yot-eastvale"),
            _present(records.ATTENDEE_KIND_PROFESSIONAL, "social worker", LOCAL_AUTHORITY),
        ],
        notes=[records.MeetingNote(kind=records.MEETING_NOTE_KIND_STRENGTH, text=material.free("Loyal to friends"))],
        circulation_statement="The final report goes to the agencies named here and to nobody else.",
        circulation_agencies=[LOCAL_AUTHORITY],
        follow_ups=[records.FollowUp(at=stamp(review), location="Eastvale YOT")],
    )
    journey.command(SENIOR, journey.yot.formulation.HoldMeeting, request, "meeting")


def _begun(journey: Journey) -> bool:
    request = messages.GetMeetingRequest(meeting_id=journey.ids["meeting"])
    meeting = journey.yot.call(MANAGER, journey.yot.formulation.GetMeeting, request).meeting
    return bool(meeting.starts_at.ToDatetime(UTC) <= datetime.now(UTC))


def _present(kind: "records.AttendeeKind.ValueType", role: str, agency: str) -> records.Attendance:
    return records.Attendance(
        kind=kind,
        name=role.title(),
        role=role,
        agency=agency,
        involvement="knows the child",
        mode=records.CONTRIBUTION_MODE_ATTENDED,
    )


def stamp(at: datetime) -> Timestamp:
    """An instant as a message."""
    message = Timestamp()
    message.FromDatetime(at)
    return message
