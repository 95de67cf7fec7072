"""Children whom the services themselves know: registered, referred, consented, with a meeting that psychology leads."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation
from ecm.demo.journey import PSYCHOLOGY, Journey
from ecm.demo.material import Subject, birth_date
from ecm.demo.steps import consenting, referring
from ecm.demo.steps.formulating import meeting
from ecm.local.stack import Stack

_WEIGHTS = range(10, 1, -1)


@dataclass(frozen=True)
class Living:
    """One of them; `patient` is the Patient's id at the exchange."""

    subject: Subject
    child_id: str
    case_id: str
    meeting_id: str
    patient: str


def raise_children(stack: Stack, count: int) -> list[Living]:
    """Through the services, as the journey does it: a second each."""
    journey = Journey.on(stack)
    try:
        return [_raise(journey, number) for number in range(count)]
    finally:
        journey.close()


def _raise(journey: Journey, number: int) -> Living:
    born = birth_date(journey.today)
    journey.subject = Subject("Pippin", f"Benchmark{number}", _nhs_number(number), f"EV-B{number:04}", born)
    journey.ids.clear()
    for take in (referring.register, referring.refer, consenting.consent):
        take(journey)
    _invite(journey)
    ids = journey.ids
    patient = journey.psychology.patient(journey.subject.identifier)
    assert patient is not None
    return Living(journey.subject, ids["child"], ids["case"], ids["meeting"], str(patient["id"]))


def _invite(journey: Journey) -> None:
    request = meeting(journey, datetime.now(UTC) + timedelta(days=1))
    journey.command(referring.MANAGER, journey.yot.formulation.ScheduleMeeting, request, "meeting")
    invitation = formulation.InviteAgencyRequest(
        meeting_id=journey.ids["meeting"],
        agency=PSYCHOLOGY,
        attendee_kind=records.ATTENDEE_KIND_PSYCHOLOGIST,
        role="clinical psychologist",
    )
    journey.command(referring.MANAGER, journey.yot.formulation.InviteAgency, invitation, "invitation")


def _nhs_number(number: int) -> str:
    """Of the range that is never given out (999), with its check digit."""
    while True:
        nine = f"9991{number:05}"
        digit = 11 - sum(weight * int(figure) for weight, figure in zip(_WEIGHTS, nine, strict=True)) % 11
        if digit != 10:
            return f"{nine}{digit % 11}"
        number += 50_000
