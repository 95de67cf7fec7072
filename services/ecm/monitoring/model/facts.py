"""What `monitoring` keeps of the others' records: a few dated facts, no words and no names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.formulation.v1.formulation_records_pb2 import Meeting, MeetingState, RecoveryStage, ReportDraft
from ecm.api.referrals.v1.referrals_records_pb2 import Case, CaseEndReason, CaseState, CaseStep
from ecm.monitoring.model.days import known_day, local_day


class FactName(StrEnum):
    """What can be known of a case."""

    CRITERIA_MET = "criteria-met"
    CRITERIA_NOT_MET = "criteria-not-met"
    NOT_CARRIED_FORWARD = "not-carried-forward"
    REFERRED = "referred"
    ACCEPTED = "accepted"
    CASE_CLOSED = "case-closed"
    MEETING_HELD = "meeting-held"
    REVIEW_PLANNED = "review-planned"
    REPORT_DRAFTED = "report-drafted"
    STAGE_PLACED = "stage-placed"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to a case on a day of the region's zone.

    `reason` is coded; `value` a stage; `due` a planned day; `meeting_id` the meeting a draft reports.
    """

    name: FactName
    on: date
    reason: str = ""
    value: int = 0
    due: date | None = None
    meeting_id: str = ""


def facts_of(versions: Sequence[RecordVersion], zone: ZoneInfo) -> list[Fact] | None:
    """What the record tells, given its versions in order; None where nothing changes by them.

    The newest version alone counts, but for a draft: the day of its first version stays.
    """
    newest = versions[-1]
    read = _READERS.get(newest.kind)
    if read is None:
        return []
    if newest.kind == "REPORT_DRAFT" and versions[0].version > 1:
        return None
    return list(read(versions[0] if newest.kind == "REPORT_DRAFT" else newest, zone))


def _of_case(version: RecordVersion, zone: ZoneInfo) -> Iterator[Fact]:
    case = Case.FromString(version.content.value)
    last = len(case.steps) - 1
    for n, step in enumerate(case.steps):
        on = local_day(step.at, zone)
        if step.to == CaseState.CASE_STATE_NOT_CARRIED_FORWARD:
            yield from _not_carried_forward(case, step, on)
        elif step.to == CaseState.CASE_STATE_CLOSED:
            # The record keeps the reason of its latest end alone.
            yield Fact(FactName.CASE_CLOSED, on, reason=_end_reason(case.end_reason) if n == last else "")
        elif step.to in _MILESTONES and (step.to != _POTENTIAL or getattr(step, "from") == _DISCUSSED):
            yield Fact(_MILESTONES[step.to], on)


def _not_carried_forward(case: Case, step: CaseStep, on: date) -> Iterator[Fact]:
    came_from = getattr(step, "from")
    if came_from == CaseState.CASE_STATE_PANEL_APPROVAL:
        yield Fact(FactName.NOT_CARRIED_FORWARD, on, reason="panel-refused")
    elif came_from in _AFTER_SIFTING:
        yield Fact(FactName.NOT_CARRIED_FORWARD, on, reason="not-viable")
    else:
        yield Fact(FactName.CRITERIA_NOT_MET, on)
        unmet = [finding.criterion for finding in case.eligibility.findings if not finding.satisfied]
        for criterion in unmet or ["criteria-not-met"]:
            yield Fact(FactName.NOT_CARRIED_FORWARD, on, reason=criterion)


def _of_meeting(version: RecordVersion, zone: ZoneInfo) -> Iterator[Fact]:
    meeting = Meeting.FromString(version.content.value)
    if meeting.state != MeetingState.MEETING_STATE_HELD:
        return
    on = local_day(meeting.starts_at, zone)
    yield Fact(FactName.MEETING_HELD, on, meeting_id=version.record_id)
    for follow_up in meeting.follow_ups:
        if not follow_up.supervision:
            yield Fact(FactName.REVIEW_PLANNED, on, due=local_day(follow_up.at, zone), meeting_id=version.record_id)


def _of_draft(version: RecordVersion, zone: ZoneInfo) -> Iterator[Fact]:
    draft = ReportDraft.FromString(version.content.value)
    yield Fact(FactName.REPORT_DRAFTED, local_day(version.recorded_at, zone), meeting_id=draft.meeting_id)


def _of_stage(version: RecordVersion, zone: ZoneInfo) -> Iterator[Fact]:
    stage = RecoveryStage.FromString(version.content.value)
    on = known_day(stage.effective_on) if stage.HasField("effective_on") else local_day(version.recorded_at, zone)
    yield Fact(FactName.STAGE_PLACED, on, value=stage.stage)


def _end_reason(reason: "CaseEndReason.ValueType") -> str:
    name = CaseEndReason.Name(reason).removeprefix("CASE_END_REASON_")
    return "" if name == "UNSPECIFIED" else name.lower().replace("_", "-")


_READERS: Mapping[str, Callable[[RecordVersion, ZoneInfo], Iterator[Fact]]] = {
    "CASE": _of_case,
    "MEETING": _of_meeting,
    "REPORT_DRAFT": _of_draft,
    "RECOVERY_STAGE": _of_stage,
}
KINDS_HEARD = frozenset(_READERS)
_DISCUSSED, _POTENTIAL = CaseState.CASE_STATE_DISCUSSED, CaseState.CASE_STATE_POTENTIAL
_AFTER_SIFTING = (CaseState.CASE_STATE_REFERRED, CaseState.CASE_STATE_VIABILITY_DISCUSSION)
_MILESTONES = {
    _POTENTIAL: FactName.CRITERIA_MET,
    CaseState.CASE_STATE_REFERRED: FactName.REFERRED,
    CaseState.CASE_STATE_ACCEPTED: FactName.ACCEPTED,
}
