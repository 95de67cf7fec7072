"""Reviews (checklist 187 to 191, Appendix 5)."""

from collections.abc import Iterable, Sequence
from datetime import date

from ecm.api.monitoring.v1.monitoring_records_pb2 import Review
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.model.days import day, past_day
from ecm.monitoring.model.facts import Fact, FactName
from ecm.monitoring.model.texts import check_text

ROLES = ("psychologist", "senior-practitioner", "case-manager")


def recorded_review(review: Review, *, facts: Sequence[Fact], stages: Sequence[int], today: date) -> Review:
    """The review as it is kept: the stage at formulation is copied, whatever was entered (190).

    ILLEGAL_TRANSITION before a formulation meeting was held; MISSING_VALUE for a
    reoffence or breach without details; INVALID_VALUE for a stage outside the
    region's model, a day in the future, an unknown role. The stage may go down.
    """
    held_on = past_day(review.held_on, "review.held_on", today)
    _check_meeting(facts, held_on)
    _check_people(review)
    _check_words(review)
    _check_stage(review.stage_at_review, stages)
    _check_next(review, held_on)
    kept = Review()
    kept.CopyFrom(review)
    kept.stage_at_formulation = stage_on(facts, held_on)
    return kept


def stage_on(facts: Iterable[Fact], held_on: date) -> int:
    """The stage that formulation placed last, up to that day; 0 where it placed none."""
    placed = [fact for fact in facts if fact.name is FactName.STAGE_PLACED and fact.on <= held_on]
    return max(placed, key=lambda fact: fact.on).value if placed else 0


def _check_meeting(facts: Iterable[Fact], held_on: date) -> None:
    if not any(fact.name is FactName.MEETING_HELD and fact.on <= held_on for fact in facts):
        message = "A review follows a formulation meeting, and none was held by that day."
        raise DomainError(Reason.ILLEGAL_TRANSITION, message, field="review.held_on")


def _check_people(review: Review) -> None:
    for field, roles in (("present", review.present), ("apologies", review.apologies)):
        if set(roles) - set(ROLES) or len(set(roles)) < len(roles):
            message = f"{field} lists roles, each once: {', '.join(ROLES)}."
            raise DomainError(Reason.INVALID_VALUE, message, field=f"review.{field}")
    if not review.present:
        raise DomainError(Reason.MISSING_VALUE, "Who was present is required.", field="review.present")
    if set(review.present) & set(review.apologies):
        raise DomainError(Reason.INVALID_VALUE, "Nobody is present and apologises.", field="review.apologies")


def _check_words(review: Review) -> None:
    for name in ("additional_information", "progress", "recommendations"):
        check_text(getattr(review, name), f"review.{name}")
    check_text(review.reoffended_details, "review.reoffended_details", required=review.reoffended)
    check_text(review.breach_details, "review.breach_details", required=review.breached)


def _check_stage(stage: int, stages: Sequence[int]) -> None:
    if stage not in stages:
        message = f"The stage at review is one of {', '.join(map(str, stages))}."
        raise DomainError(Reason.INVALID_VALUE, message, field="review.stage_at_review")


def _check_next(review: Review, held_on: date) -> None:
    if review.HasField("next_review_on") and day(review.next_review_on, "review.next_review_on") <= held_on:
        message = "The next review lies after this one."
        raise DomainError(Reason.INVALID_VALUE, message, field="review.next_review_on")
