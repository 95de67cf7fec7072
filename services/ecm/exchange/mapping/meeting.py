"""Meeting → Appointment; once held also Encounter (a case conference) and ClinicalImpression (the formulation).

https://hl7.org/fhir/R4/appointment.html, …/encounter.html, …/clinicalimpression.html
"""

from functools import partial
from typing import Final

from ecm.api.formulation.v1.formulation_records_pb2 import (
    Attendance,
    AttendeeKind,
    Meeting,
    MeetingNoteKind,
    MeetingState,
)
from ecm.exchange.mapping import codes, ids
from ecm.exchange.mapping.categories import FORMULATION, INVITATION
from ecm.exchange.mapping.elements import enum_code, enum_concept, instant, spoken
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import ALL_VIEWS, View, shows_text
from ecm.exchange.mapping.vocabulary import own, own_coding

_STATUS: Final = {
    MeetingState.MEETING_STATE_SCHEDULED: "booked",
    MeetingState.MEETING_STATE_HELD: "fulfilled",
    MeetingState.MEETING_STATE_CANCELLED: "cancelled",
}


def map_meeting(source: Source[Meeting]) -> list[MappedResource]:
    """What is invited to, and what came of it.

    An invitation is a grant on this record: it opens the Appointment, and nothing of what was said.
    """
    found = [source.resource("Appointment", partial(_appointment, source), INVITATION, views=ALL_VIEWS)]
    if source.content.state == MeetingState.MEETING_STATE_HELD:
        encounter = partial(_encounter, source)
        found += [
            source.resource(
                "Encounter", encounter, FORMULATION, profile=codes.UKCORE_ENCOUNTER, by_category_alone=True
            ),
            source.resource("ClinicalImpression", partial(_impression, source), FORMULATION, by_category_alone=True),
        ]
    return found


def _appointment(source: Source[Meeting], view: View) -> Json:
    """The child stands in `supportingInformation`: children never attend (checklist 132).

    Who else is invited isn't told: each agency has a Task of its own. Place and
    purpose are free texts without a declaration, so they stand in `full` alone.
    """
    meeting = source.content
    full = view is View.FULL
    place = {"actor": {"display": meeting.location}, "status": "accepted"} if full and meeting.location else {}
    return {
        "status": _STATUS.get(meeting.state, "proposed"),
        "appointmentType": own(codes.MEETING, "formulation-meeting"),
        "description": "Formulation meeting",
        "start": instant(meeting.starts_at),
        "end": instant(meeting.ends_at),
        "comment": meeting.purpose if full else None,
        "supportingInformation": [source.subject],
        "participant": [
            {
                "type": [own(codes.MEETING, "convenor")],
                "actor": source.context.yot(source.yot),
                "status": "accepted",
            },
            place,
        ],
    }


def _encounter(source: Source[Meeting], view: View) -> Json:
    meeting = source.content
    return {
        "status": "finished",
        "class": own_coding(codes.MEETING, "case-conference"),
        "type": [own(codes.MEETING, "formulation-meeting")],
        "subject": source.subject,
        "episodeOfCare": [ids.reference(source.case_id, "EpisodeOfCare")] if source.case_id else [],
        "participant": [_participant(attendance, view) for attendance in meeting.attendance],
        "appointment": [source.own("Appointment")],
        "period": {"start": instant(meeting.starts_at), "end": instant(meeting.ends_at)},
    }


def _participant(attendance: Attendance, view: View) -> Json:
    """A line of the attendance sheet (157). A teacher's name and agency would tell the school."""
    kind = [enum_concept(codes.ATTENDEE_KIND, AttendeeKind, attendance.kind)]
    if view is not View.FULL:
        return {"type": kind}
    named = ", ".join(part for part in (attendance.name, attendance.role, attendance.agency) if part)
    return {"type": kind, "individual": {"display": named}}


def _impression(source: Source[Meeting], view: View) -> Json:
    """Concerns, patterns, strengths and so on (166), each note under its heading."""
    meeting = source.content
    return {
        "status": "completed",
        "code": own(codes.MEETING, "formulation"),
        "subject": source.subject,
        "encounter": source.own("Encounter"),
        "effectivePeriod": {"start": instant(meeting.starts_at), "end": instant(meeting.ends_at)},
        "note": [
            {"text": f"{spoken(enum_code(MeetingNoteKind, note.kind)) or 'Note'}: {note.text.text}"}
            for note in meeting.notes
            if shows_text(note.text, view)
        ],
    }
