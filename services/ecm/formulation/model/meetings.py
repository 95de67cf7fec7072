"""The formulation meeting: scheduled, moved, held, cancelled (checklist 88 to 90, 157 to 167)."""

from collections.abc import Iterable, Sized
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as requests
from ecm.formulation.model.roles import SENIOR_PRACTITIONER
from ecm.formulation.model.values import (
    FREE_TEXT,
    PARAGRAPH,
    check_free_text,
    check_member,
    check_text,
    illegal,
    invalid,
    missing,
)
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region

_REFUSED = frozenset({records.ATTENDEE_KIND_CHILD, records.ATTENDEE_KIND_FAMILY})
_THERE = frozenset({records.CONTRIBUTION_MODE_UNSPECIFIED, records.CONTRIBUTION_MODE_ATTENDED})
MOST_LINES = 200


def scheduled(
    request: requests.ScheduleMeetingRequest, earlier: Iterable[records.Meeting], now: datetime
) -> records.Meeting:
    """A meeting with a date (88). ILLEGAL_TRANSITION where the case has one already."""
    states = [meeting.state for meeting in earlier]
    if records.MEETING_STATE_SCHEDULED in states:
        raise illegal("A meeting is scheduled already; reschedule or cancel it.")
    _check_times(request.starts_at, request.ends_at, now)
    check_text(request.location, "location", required=False)
    check_text(request.purpose, "purpose", most=PARAGRAPH)
    return records.Meeting(
        state=records.MEETING_STATE_SCHEDULED,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        location=request.location,
        purpose=request.purpose,
        room_booked=request.room_booked,
        reconvened=records.MEETING_STATE_HELD in states,
    )


def rescheduled(meeting: records.Meeting, request: requests.RescheduleMeetingRequest, now: datetime) -> records.Meeting:
    """The meeting at another time. ILLEGAL_TRANSITION once it was held or cancelled."""
    check_scheduled(meeting)
    _check_times(request.starts_at, request.ends_at, now)
    check_text(request.location, "location", required=False)
    moved = copy_of(meeting)
    moved.starts_at.CopyFrom(request.starts_at)
    moved.ends_at.CopyFrom(request.ends_at)
    moved.location = request.location
    return moved


def cancelled(meeting: records.Meeting) -> records.Meeting:
    """The meeting, not to be held."""
    ended = copy_of(meeting)
    ended.state = records.MEETING_STATE_CANCELLED
    return ended


def held(
    meeting: records.Meeting, request: requests.HoldMeetingRequest, region: Region, now: datetime
) -> records.Meeting:
    """The meeting with what it brought: sheet, notes, circulation, review dates (157 to 167, 239).

    ILLEGAL_TRANSITION before it begins; ATTENDEE_REFUSED for child or family; MISSING_VALUE without the
    psychologist or a review date.
    """
    check_scheduled(meeting)
    check_begun(meeting, now)
    check_attendance(request.attendance)
    check_notes(request.notes)
    check_follow_ups(request.follow_ups, meeting.starts_at)
    check_circulation(request, region)
    done = copy_of(meeting)
    done.state = records.MEETING_STATE_HELD
    done.attendance.extend(request.attendance)
    done.notes.extend(request.notes)
    done.circulation_statement = request.circulation_statement
    done.circulation_agencies.extend(request.circulation_agencies)
    done.follow_ups.extend(request.follow_ups)
    done.chair = SENIOR_PRACTITIONER
    return done


def check_scheduled(meeting: records.Meeting) -> None:
    """ILLEGAL_TRANSITION unless the meeting is still to be held."""
    if meeting.state != records.MEETING_STATE_SCHEDULED:
        raise illegal("The meeting was held or cancelled already.")


def check_begun(meeting: records.Meeting, now: datetime) -> None:
    """ILLEGAL_TRANSITION before the meeting begins."""
    begins = meeting.starts_at.ToDatetime(UTC)
    if now < begins:
        raise illegal(f"The meeting begins at {begins:%Y-%m-%d %H:%M} UTC; it can't have been held before.")


def check_held(meeting: records.Meeting) -> None:
    """Meeting before report (98). ILLEGAL_TRANSITION."""
    if meeting.state != records.MEETING_STATE_HELD:
        raise illegal("The meeting hasn't been held; there is nothing to report.")


def check_attendee(kind: "records.AttendeeKind.ValueType", field: str) -> None:
    """Children and families don't attend (132): ATTENDEE_REFUSED."""
    check_member(kind, records.AttendeeKind, field)
    if kind in _REFUSED:
        message = "Children and families don't attend; record what they say as the child's voice."
        raise DomainError(Reason.ATTENDEE_REFUSED, message, field=field)


def check_attendance(sheet: Iterable[records.Attendance]) -> None:
    """Each line is a professional's, and the psychologist was there."""
    lines = list(sheet)
    _check_count(lines, "attendance")
    for line in lines:
        _check_line(line)
    if not any(line.kind == records.ATTENDEE_KIND_PSYCHOLOGIST and line.mode in _THERE for line in lines):
        raise missing("The psychologist leads the formulation and must have been there.", "attendance")


def _check_line(line: records.Attendance) -> None:
    check_attendee(line.kind, "attendance.kind")
    for name in ("name", "role", "agency"):
        check_text(getattr(line, name), f"attendance.{name}", required=name != "agency")
    check_text(line.involvement, "attendance.involvement", most=PARAGRAPH, required=False)
    if line.mode not in records.ContributionMode.values():
        raise invalid("attendance.mode isn't one of its values.", "attendance.mode")


def check_notes(notes: Iterable[records.MeetingNote]) -> None:
    """Each note under one of the headings of 166."""
    found = list(notes)
    _check_count(found, "notes")
    for note in found:
        check_member(note.kind, records.MeetingNoteKind, "notes.kind")
        check_free_text(note.text, "notes.text", most=FREE_TEXT)


def check_follow_ups(follow_ups: Iterable[records.FollowUp], begun: Timestamp) -> None:
    """Review dates are set before the meeting closes (239): at least one, after the meeting. MISSING_VALUE."""
    found = list(follow_ups)
    _check_count(found, "follow_ups")
    if not any(not entry.supervision for entry in found):
        raise missing("A review date is set before the meeting closes.", "follow_ups")
    for entry in found:
        check_text(entry.location, "follow_ups.location", required=False)
        if not entry.HasField("at"):
            raise missing("follow_ups.at is missing.", "follow_ups.at")
        if entry.at.ToDatetime() < begun.ToDatetime():
            raise invalid("Reviews and supervision come after the meeting.", "follow_ups.at")


def check_circulation(request: requests.HoldMeetingRequest, region: Region) -> None:
    """Who gets the report: agencies of the region, each once (166, 171)."""
    agencies = list(request.circulation_agencies)
    check_text(request.circulation_statement, "circulation_statement", most=PARAGRAPH, required=bool(agencies))
    check_agencies(agencies, region, "circulation_agencies")


def check_agencies(agencies: list[str], region: Region, field: str) -> None:
    """Agencies of the region file, each once."""
    if len(set(agencies)) != len(agencies):
        raise invalid("An agency stands there twice.", field)
    if any(region.agency(agency) is None for agency in agencies):
        raise invalid("The region has no such agency.", field)


def copy_of(meeting: records.Meeting) -> records.Meeting:
    """A meeting to change."""
    copy = records.Meeting()
    copy.CopyFrom(meeting)
    return copy


def _check_times(starts_at: Timestamp, ends_at: Timestamp, now: datetime) -> None:
    if not starts_at.ToNanoseconds():
        raise missing("starts_at is missing.", "starts_at")
    if ends_at.ToNanoseconds() <= starts_at.ToNanoseconds():
        raise invalid("The meeting ends after it begins.", "ends_at")
    if starts_at.ToNanoseconds() <= now.timestamp() * 1e9:
        raise invalid("The meeting is to be in the future.", "starts_at")


def _check_count(entries: Sized, field: str) -> None:
    if len(entries) > MOST_LINES:
        raise DomainError(Reason.TOO_LARGE, f"{field} has more than {MOST_LINES} entries.", field=field)
