"""Reviews: what is required, and what is copied (checklist 187 to 191)."""

from datetime import date

import pytest

from ecm.api.monitoring.v1.monitoring_records_pb2 import Review
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.model.days import wire
from ecm.monitoring.model.facts import Fact, FactName
from ecm.monitoring.model.review import recorded_review
from unit.monitoring.builders import STAGES, TODAY, meeting, review, words

HELD = date(2026, 10, 1)
FACTS = [meeting(date(2026, 6, 1)), Fact(FactName.STAGE_PLACED, date(2026, 6, 1), value=4)]


def record(content: Review, facts: list[Fact] = FACTS) -> Review:
    return recorded_review(content, facts=facts, stages=STAGES, today=TODAY)


def refusal(content: Review, facts: list[Fact] = FACTS) -> tuple[Reason, str]:
    with pytest.raises(DomainError) as refused:
        record(content, facts)
    return refused.value.reason, refused.value.field


def test_the_stage_at_formulation_is_copied_whatever_was_entered() -> None:
    assert record(review(HELD, stage_at_formulation=1)).stage_at_formulation == 4


def test_the_stage_may_go_down() -> None:
    assert record(review(HELD, stage=1)).stage_at_review == 1


def test_the_latest_placement_up_to_the_review_counts() -> None:
    later = Fact(FactName.STAGE_PLACED, date(2026, 9, 1), value=5)
    after = Fact(FactName.STAGE_PLACED, date(2026, 10, 2), value=6)
    assert record(review(HELD), [*FACTS, after, later]).stage_at_formulation == 5


def test_a_stage_outside_the_regions_model_is_refused() -> None:
    assert refusal(review(HELD, stage=7)) == (Reason.INVALID_VALUE, "review.stage_at_review")


@pytest.mark.parametrize(("answer", "details"), [("reoffended", "reoffended_details"), ("breached", "breach_details")])
def test_yes_needs_details_and_no_needs_none(answer: str, details: str) -> None:
    assert refusal(review(HELD, **{answer: True})) == (Reason.MISSING_VALUE, f"review.{details}")
    assert refusal(review(HELD, **{answer: True, details: words("  ")}))[0] is Reason.MISSING_VALUE
    record(review(HELD, **{answer: True, details: words()}))
    record(review(HELD, **{answer: False}))


def test_unanswered_stays_unanswered() -> None:
    kept = record(review(HELD))
    assert not kept.HasField("reoffended")
    assert not kept.HasField("breached")


def test_no_review_before_a_meeting_was_held() -> None:
    assert refusal(review(HELD), [])[0] is Reason.ILLEGAL_TRANSITION
    assert refusal(review(date(2026, 5, 31)))[0] is Reason.ILLEGAL_TRANSITION


def test_a_review_lies_in_the_past_and_the_next_after_it() -> None:
    assert refusal(review(date(2026, 11, 21))) == (Reason.INVALID_VALUE, "review.held_on")
    assert refusal(review(HELD, next_review_on=wire(HELD))) == (Reason.INVALID_VALUE, "review.next_review_on")


def test_children_and_families_are_no_role_at_a_review() -> None:
    content = review(HELD)
    content.present.append("child")
    assert refusal(content) == (Reason.INVALID_VALUE, "review.present")


def test_nobody_is_present_and_apologises() -> None:
    assert refusal(review(HELD, apologies=["case-manager"])) == (Reason.INVALID_VALUE, "review.apologies")
