"""What an invited agency sends in writing (checklist 131, 140, 160), and what is known of the child's voice (133)."""

from datetime import date, datetime

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.api.common.v1.values_pb2 import Category
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as requests
from ecm.formulation.model.values import (
    PDF,
    check_document,
    check_free_text,
    check_member,
    check_past_day,
    check_text,
    illegal,
    invalid,
)

# Nothing that a viewer would execute: no HTML, no SVG.
MEDIA_TYPES = frozenset(
    {
        PDF,
        "image/png",
        "image/jpeg",
        "text/plain",
        "application/fhir+json",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    }
)


def contributed(
    request: requests.ContributeInformationRequest,
    meeting: records.Meeting,
    agency: str,
    author: AssertedPractitioner | None,
    now: datetime,
) -> records.Contribution:
    """A contribution as the agency sent it: its declaration and its categories stay as given, absent ones absent.

    ILLEGAL_TRANSITION for a cancelled meeting; INVALID_VALUE, MISSING_VALUE, TOO_LARGE for the document.
    """
    if meeting.state == records.MEETING_STATE_CANCELLED:
        raise illegal("The meeting was cancelled.")
    check_document(request.document, MEDIA_TYPES)
    for category in request.categories:
        check_member(category, Category, "categories")
    if len(set(request.categories)) != len(request.categories):
        raise invalid("A category stands there twice.", "categories")
    made = records.Contribution(
        meeting_id=request.meeting_id,
        agency=agency,
        document=request.document,
        categories=request.categories,
        author=author,
    )
    made.received_at.FromDatetime(now)
    return made


def check_voice(voice: records.ChildVoice, today: date) -> None:
    """What the child or family said, its source and its date (133)."""
    check_free_text(voice.text, "voice.text")
    check_text(voice.source, "voice.source")
    check_past_day(voice.said_on, today, "voice.said_on")
