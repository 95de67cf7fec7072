"""What is kept of the others' records: dated, coded, no words."""

from datetime import UTC, date, datetime

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.formulation.v1.formulation_records_pb2 import (
    FollowUp,
    Meeting,
    MeetingState,
    RecoveryStage,
    ReportDraft,
)
from ecm.api.referrals.v1.referrals_records_pb2 import CaseEndReason, CriterionFinding, Eligibility
from ecm.monitoring.model.facts import Fact, FactName, facts_of
from unit.monitoring.builders import LONDON, case, noon, step, version

DAY = date(2026, 6, 1)


def names(*versions: RecordVersion) -> list[FactName]:
    return [fact.name for fact in facts_of(versions, LONDON) or []]


def test_a_referral_that_is_accepted() -> None:
    told = case(
        step("UNSPECIFIED", "DISCUSSED", DAY),
        step("DISCUSSED", "POTENTIAL", DAY),
        step("POTENTIAL", "READINESS_ASSESSMENT", DAY),
        step("READINESS_ASSESSMENT", "POTENTIAL", DAY),
        step("GO_AHEAD", "REFERRED", DAY),
        step("VIABILITY_DISCUSSION", "ACCEPTED", DAY),
    )
    # Deferred and back on the list (82) meets the criteria no second time.
    assert names(told) == [FactName.CRITERIA_MET, FactName.REFERRED, FactName.ACCEPTED]


def test_a_referral_that_fails_the_criteria_names_each_one() -> None:
    findings = [
        CriterionFinding(criterion="disposal", satisfied=False),
        CriterionFinding(criterion="six-months", satisfied=False),
        CriterionFinding(criterion="complex-needs", satisfied=True),
    ]
    told = case(step("DISCUSSED", "NOT_CARRIED_FORWARD", DAY), eligibility=Eligibility(findings=findings))
    assert facts_of([told], LONDON) == [
        Fact(FactName.CRITERIA_NOT_MET, DAY),
        Fact(FactName.NOT_CARRIED_FORWARD, DAY, reason="disposal"),
        Fact(FactName.NOT_CARRIED_FORWARD, DAY, reason="six-months"),
    ]


def test_not_viable_and_refused_by_the_panel_are_other_reasons() -> None:
    for came_from, reason in (("VIABILITY_DISCUSSION", "not-viable"), ("PANEL_APPROVAL", "panel-refused")):
        told = facts_of([case(step(came_from, "NOT_CARRIED_FORWARD", DAY))], LONDON)
        assert told == [Fact(FactName.NOT_CARRIED_FORWARD, DAY, reason=reason)]


def test_a_closed_case_has_its_reason() -> None:
    told = case(step("INTERVENTION_IN_PROGRESS", "CLOSED", DAY), end_reason=CaseEndReason.CASE_END_REASON_ORDER_ENDED)
    assert facts_of([told], LONDON) == [Fact(FactName.CASE_CLOSED, DAY, reason="order-ended")]


def test_days_are_those_of_the_region() -> None:
    midnight = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    told = version("MEETING", Meeting(state=MeetingState.MEETING_STATE_HELD, starts_at=midnight))
    assert [fact.on for fact in facts_of([told], LONDON) or []] == [date(2026, 6, 2)]


def test_a_meeting_counts_once_it_is_held_and_plans_reviews_alone() -> None:
    follow_ups = [FollowUp(at=noon(date(2026, 9, 1))), FollowUp(at=noon(date(2026, 8, 1)), supervision=True)]
    content = Meeting(state=MeetingState.MEETING_STATE_SCHEDULED, starts_at=noon(DAY), follow_ups=follow_ups)
    assert names(version("MEETING", content)) == []
    content.state = MeetingState.MEETING_STATE_HELD
    held = facts_of([version("MEETING", content)], LONDON) or []
    assert [(fact.name, fact.due) for fact in held] == [
        (FactName.MEETING_HELD, None),
        (FactName.REVIEW_PLANNED, date(2026, 9, 1)),
    ]


def test_a_report_is_drafted_on_the_day_of_its_first_version() -> None:
    draft = ReportDraft(meeting_id="meeting-1")
    first, second = (
        version("REPORT_DRAFT", draft, on=DAY),
        version("REPORT_DRAFT", draft, number=2, on=date(2026, 7, 9)),
    )
    assert facts_of([first, second], LONDON) == [Fact(FactName.REPORT_DRAFTED, DAY, meeting_id="meeting-1")]
    assert facts_of([second], LONDON) is None


def test_a_placement_is_of_its_own_day() -> None:
    told = version("RECOVERY_STAGE", RecoveryStage(stage=3))
    told.content.Pack(RecoveryStage(stage=3, effective_on={"year": 2026, "month": 6, "day": 1}))
    assert facts_of([told], LONDON) == [Fact(FactName.STAGE_PLACED, DAY, value=3)]


def test_other_kinds_tell_nothing() -> None:
    assert facts_of([version("TIMELINE_ENTRY", RecoveryStage())], LONDON) == []
