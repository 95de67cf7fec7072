"""Plan, reviews, outcomes and deadlines of a case, over gRPC."""

from uuid import uuid4

from ecm.api.common.v1.values_pb2 import Date, FreeText
from ecm.api.monitoring.v1 import monitoring_service_pb2 as pb
from ecm.api.monitoring.v1.monitoring_records_pb2 import Outcome, OutcomeKind, Plan, PlanItem, PlanItemState, Review
from ecm.kit.errors import Reason

SPRING = Date(year=2026, month=4, day=1)


def plan(**more: object) -> Plan:
    item = PlanItem(key="mentor", what=FreeText(text="Invented item"), who="mentor", sequence=1)
    item.state = PlanItemState.PLAN_ITEM_STATE_PLANNED
    return Plan(items=[item], **more)


def review(**more: object) -> Review:
    return Review(held_on=SPRING, present=["senior-practitioner"], stage_at_review=3, **more)


async def test_a_plan_is_made_once_and_changed_with_a_reason(monitoring, refusal):
    _, case_id = monitoring.accepted_case()
    made = await monitoring.call("MakePlan", pb.MakePlanRequest(case_id=str(case_id), plan=plan()), "case-manager")
    again = monitoring.call("MakePlan", pb.MakePlanRequest(case_id=str(case_id), plan=plan()), "case-manager")
    assert (await refusal(again)).reason is Reason.ALREADY_EXISTS

    change = pb.ChangePlanRequest(plan_id=made.ref.record_id, expected_version=1, plan=plan())
    assert (await refusal(monitoring.call("ChangePlan", change, "case-manager"))).field == "plan.change_reason"
    change.plan.CopyFrom(plan(change_reason="Discussed at the review", completed=True))
    assert (await refusal(monitoring.call("ChangePlan", change, "other-case-manager"))).reason is Reason.NOT_FOUND
    assert (await monitoring.call("ChangePlan", change, "case-manager")).ref.version == 2
    stale = await refusal(monitoring.call("ChangePlan", change, "case-manager"))
    assert stale.reason is Reason.VERSION_CONFLICT
    found = await monitoring.call("GetPlan", pb.GetPlanRequest(case_id=str(case_id)))
    assert (found.ref.version, found.plan.completed) == (2, True)


async def test_a_review_copies_the_stage_before_any_event_has_arrived(monitoring):
    _, case_id = monitoring.accepted_case()
    request = pb.RecordReviewRequest(case_id=str(case_id), review=review(stage_at_formulation=1))
    await monitoring.call("RecordReview", request)
    (listed,) = (await monitoring.call("ListReviews", pb.ListReviewsRequest(case_id=str(case_id)))).reviews
    assert (listed.review.stage_at_formulation, listed.review.stage_at_review) == (4, 3)


async def test_a_review_needs_details_and_a_meeting(monitoring, refusal):
    _, case_id = monitoring.accepted_case()
    faulty = pb.RecordReviewRequest(case_id=str(case_id), review=review(breached=True))
    assert (await refusal(monitoring.call("RecordReview", faulty))).field == "review.breach_details"
    _, without = monitoring.accepted_case(with_meeting=False)
    early = pb.RecordReviewRequest(case_id=str(without), review=review())
    assert (await refusal(monitoring.call("RecordReview", early))).reason is Reason.ILLEGAL_TRANSITION


async def test_outcomes_are_listed_oldest_first(monitoring):
    _, case_id = monitoring.accepted_case()
    for month, kind in ((5, OutcomeKind.OUTCOME_KIND_BREACH), (3, OutcomeKind.OUTCOME_KIND_WARNING)):
        outcome = Outcome(kind=kind, on=Date(year=2026, month=month, day=1))
        await monitoring.call("RecordOutcome", pb.RecordOutcomeRequest(case_id=str(case_id), outcome=outcome))
    listed = await monitoring.call("ListOutcomes", pb.ListOutcomesRequest(case_id=str(case_id)), "case-manager")
    assert [entry.outcome.on.month for entry in listed.outcomes] == [3, 5]


async def test_the_report_is_due_after_a_calendar_month(monitoring):
    _, case_id = monitoring.accepted_case()
    await monitoring.call("RecordReview", pb.RecordReviewRequest(case_id=str(case_id), review=review()))
    (due,) = (await monitoring.call("ListDeadlines", pb.ListDeadlinesRequest(case_id=str(case_id)))).deadlines
    assert (due.kind, due.due_on, due.overdue) == ("report-draft", Date(year=2026, month=2, day=28), True)


async def test_another_yots_case_is_not_there(monitoring, refusal):
    _, case_id = monitoring.accepted_case()
    for unknown in (str(case_id), str(uuid4())):
        request = pb.RecordOutcomeRequest(case_id=unknown, outcome=Outcome(kind=3, on=SPRING))
        assert (
            await refusal(monitoring.call("RecordOutcome", request, "other-case-manager"))
        ).reason is Reason.NOT_FOUND


async def test_the_same_key_answers_the_same(monitoring, refusal):
    _, case_id = monitoring.accepted_case()
    request = pb.RecordOutcomeRequest(case_id=str(case_id), outcome=Outcome(kind=3, on=SPRING))
    key = uuid4().hex
    first, second = [await monitoring.call("RecordOutcome", request, key=key) for _ in range(2)]
    assert first == second
    request.outcome.kind = OutcomeKind.OUTCOME_KIND_BREACH
    assert (await refusal(monitoring.call("RecordOutcome", request, key=key))).reason is Reason.IDEMPOTENCY_KEY_REUSED
