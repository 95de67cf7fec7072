"""How far a record of `formulation` says a case is (checklist 88 to 92)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1.referrals_records_pb2 import (
    CASE_STATE_FORMULATION_HELD,
    CASE_STATE_FORMULATION_SCHEDULED,
    CASE_STATE_REPORT_CHECKED,
    CASE_STATE_REPORT_DRAFTED,
    CASE_STATE_REPORT_FINAL,
    CASE_STATE_REPORT_SHARED,
)
from ecm.referrals.model.states import State

_MEETING = {
    formulation.MEETING_STATE_SCHEDULED: CASE_STATE_FORMULATION_SCHEDULED,
    formulation.MEETING_STATE_HELD: CASE_STATE_FORMULATION_HELD,
}
# A finalised draft has a report of its own that says so.
_DRAFT = {
    formulation.REPORT_DRAFT_STATE_DRAFTED: CASE_STATE_REPORT_DRAFTED,
    formulation.REPORT_DRAFT_STATE_CHECKED: CASE_STATE_REPORT_CHECKED,
    formulation.REPORT_DRAFT_STATE_FINALISED: CASE_STATE_REPORT_CHECKED,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """`reached` is one of PROGRESS; `happened_at` (UTC) None where the record doesn't say."""

    reached: State
    happened_at: datetime | None


def of_meeting(meeting: formulation.Meeting) -> Progress | None:
    """A meeting has a date, or was held; a cancelled one leads nowhere."""
    reached = _MEETING.get(meeting.state)
    return None if reached is None else Progress(reached, instant(meeting.starts_at))


def of_draft(draft: formulation.ReportDraft, recorded_at: datetime | None) -> Progress | None:
    """A report is drafted, or checked for accuracy."""
    reached = _DRAFT.get(draft.state)
    return None if reached is None else Progress(reached, recorded_at)


def of_report(report: formulation.Report) -> Progress:
    """A report is final, or circulated to somebody."""
    sent = [instant(circulation.at) for circulation in report.circulations if not circulation.ended]
    if sent:
        return Progress(CASE_STATE_REPORT_SHARED, max((at for at in sent if at), default=None))
    return Progress(CASE_STATE_REPORT_FINAL, instant(report.finalised_at))


def instant(at: Timestamp) -> datetime | None:
    """The instant in UTC; None where none was set."""
    return at.ToDatetime(UTC) if at.ByteSize() else None
