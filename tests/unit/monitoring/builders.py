"""Small builders: invented cases, told in days."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import CHANGE_CHANGED, CHANGE_CREATED, RecordVersion
from ecm.api.common.v1.values_pb2 import FreeText
from ecm.api.monitoring.v1.monitoring_records_pb2 import Outcome, OutcomeKind, Review
from ecm.api.referrals.v1.referrals_records_pb2 import Case, CaseState, CaseStep
from ecm.monitoring.model.days import wire
from ecm.monitoring.model.facts import Fact, FactName
from ecm.monitoring.model.figures import CaseHistory

LONDON = ZoneInfo("Europe/London")
TODAY = date(2026, 11, 20)
CASE_ID, CHILD_ID = UUID(int=1), UUID(int=2)
STAGES = [1, 2, 3, 4, 5, 6]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def step(came_from: str, to: str, on: date) -> CaseStep:
    made = CaseStep(to=CaseState.Value(f"CASE_STATE_{to}"), at=noon(on))
    setattr(made, "from", CaseState.Value(f"CASE_STATE_{came_from}"))
    return made


def case(*steps: CaseStep, **content: object) -> RecordVersion:
    return version("CASE", Case(steps=steps, **content))


def version(
    kind: str, content: Message, *, number: int = 1, on: date = TODAY, record_id: UUID | None = None
) -> RecordVersion:
    made = RecordVersion(
        record_id=str(record_id or uuid4()),
        child_id=str(CHILD_ID),
        case_id=str(CASE_ID),
        kind=kind,
        version=number,
        change=CHANGE_CREATED if number == 1 else CHANGE_CHANGED,
        recorded_at=noon(on),
        yot="eastvale",
    )
    made.content.Pack(content)
    return made


def review(on: date, *, stage: int = 3, **more: object) -> Review:
    return Review(held_on=wire(on), present=["senior-practitioner", "case-manager"], stage_at_review=stage, **more)


def outcome(kind: str, on: date, **more: object) -> Outcome:
    return Outcome(kind=OutcomeKind.Value(f"OUTCOME_KIND_{kind}"), on=wire(on), **more)


def words(text: str = "Invented words.") -> FreeText:
    return FreeText(text=text)


def meeting(on: date, meeting_id: str = "meeting-1") -> Fact:
    return Fact(FactName.MEETING_HELD, on, meeting_id=meeting_id)


def drafted(on: date, meeting_id: str = "meeting-1") -> Fact:
    return Fact(FactName.REPORT_DRAFTED, on, meeting_id=meeting_id)


def history(*facts: Fact, reviews: object = (), outcomes: object = (), n: int = 1, **more: object) -> CaseHistory:
    return CaseHistory(UUID(int=10 + n), UUID(int=20 + n), facts, tuple(reviews), tuple(outcomes), **more)  # type: ignore[arg-type]
