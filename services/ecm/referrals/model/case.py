"""A case takes its steps: each is checked against the life cycle and recorded (checklist 77 to 99)."""

from collections.abc import Mapping
from dataclasses import replace

from ecm.api.referrals.v1.referrals_records_pb2 import (
    CASE_END_REASON_COMPLETED,
    CASE_END_REASON_CONSENT,
    CASE_END_REASON_DISENGAGED,
    CASE_END_REASON_MOVED,
    CASE_END_REASON_ORDER_ENDED,
    CASE_END_REASON_UNSPECIFIED,
    CASE_STATE_ACCEPTED,
    CASE_STATE_CLOSED,
    CASE_STATE_DISCUSSED,
    CASE_STATE_UNSPECIFIED,
    Case,
    CaseEndReason,
    CaseStep,
)
from ecm.kit.errors import DomainError, Reason
from ecm.referrals.model.refusals import invalid, missing, required_text
from ecm.referrals.model.stamp import Decision, Stamp
from ecm.referrals.model.states import ENDED, Edge, State, Step, allowed_from, words

# The others are set by the decision that ends the case.
CLOSING_REASONS = frozenset(
    {
        CASE_END_REASON_COMPLETED,
        CASE_END_REASON_ORDER_ENDED,
        CASE_END_REASON_DISENGAGED,
        CASE_END_REASON_CONSENT,
        CASE_END_REASON_MOVED,
    }
)


def open_case(case_manager: str, stamp: Stamp) -> Case:
    """A new case, in discussion (77)."""
    case = Case(case_manager=case_manager, criteria_version=stamp.criteria_version)
    return moved(case, CASE_STATE_DISCUSSED, stamp, "")


def check_allowed(case: Case, step: Step, edges: Mapping[Step, Edge]) -> None:
    """ILLEGAL_TRANSITION, saying what is allowed instead, where the life cycle forbids the step now (98)."""
    if step in allowed_from(case.state, edges):
        return
    allowed = ", ".join(allowed_from(case.state, edges)) or "nothing"
    message = f"{step} isn't possible while the case is in {words(case.state)}; possible now: {allowed}."
    raise DomainError(Reason.ILLEGAL_TRANSITION, message, metadata={"state": words(case.state), "allowed": allowed})


def take(case: Case, step: Step, to: State, decision: Decision) -> Case:
    """The case one step on. ILLEGAL_TRANSITION where the life cycle forbids it."""
    check_allowed(case, step, decision.edges)
    if to not in decision.edges[step].targets:
        raise ValueError(f"{step} doesn't lead to {words(to)}")
    return moved(case, to, decision.stamp, decision.reason)


def moved(case: Case, to: State, stamp: Stamp, reason: str, *, origin: State = CASE_STATE_UNSPECIFIED) -> Case:
    """The case in state `to` with the step recorded; nothing is checked. `origin`: another state it counts from."""
    fresh = Case()
    fresh.CopyFrom(case)
    step = CaseStep(to=to, by=stamp.by, reason=reason, criteria_version=stamp.criteria_version)
    # `from` is a keyword of Python.
    setattr(step, "from", origin or case.state)
    step.at.FromDatetime(stamp.at)
    fresh.steps.append(step)
    fresh.state = to
    return fresh


def was_accepted(case: Case) -> bool:
    """Whether the case was ever an ECM case (22)."""
    return any(step.to == CASE_STATE_ACCEPTED for step in case.steps)


def check_open(case: Case) -> None:
    """ILLEGAL_TRANSITION where the case has ended: nothing is added to it any more."""
    if case.state in ENDED:
        message = f"The case is {words(case.state)}; reopen it, or open a new one, first."
        raise DomainError(Reason.ILLEGAL_TRANSITION, message)


def refer_to(case: Case, old: str, new: str) -> Case:
    """The case with another record in the place of a paper that it was sent with; itself where it names the old not."""
    if old not in (case.referral_form_id, case.assessment_id):
        return case
    fresh = Case()
    fresh.CopyFrom(case)
    fresh.referral_form_id = new if case.referral_form_id == old else case.referral_form_id
    fresh.assessment_id = new if case.assessment_id == old else case.assessment_id
    return fresh


def check_closing(end_reason: "CaseEndReason.ValueType", reason: str) -> None:
    """MISSING_VALUE or INVALID_VALUE unless it is said, in code and words, why the case ends."""
    if end_reason == CASE_END_REASON_UNSPECIFIED:
        raise missing("end_reason")
    if end_reason not in CLOSING_REASONS:
        raise invalid("end_reason", "isn't a reason to close a case; the others are set by the decisions themselves.")
    required_text(reason, "reason")


def close(case: Case, end_reason: "CaseEndReason.ValueType", decision: Decision) -> Case:
    """The case closed (95)."""
    fresh = take(case, Step.CLOSE, CASE_STATE_CLOSED, decision)
    fresh.end_reason = end_reason
    return fresh


def reopen(case: Case, decision: Decision, case_manager: str, other_manager_reason: str) -> Case:
    """The case open again (184 to 186): accepted where it was before, else in discussion.

    `case_manager` "" is the same one as before. MISSING_VALUE without the trigger,
    or without a reason for another case manager (185).
    """
    reason = required_text(decision.reason, "reason")
    if case_manager and case_manager != case.case_manager:
        other = required_text(other_manager_reason, "other_manager_reason")
        reason = f"{reason} (another case manager: {other})"
    to = CASE_STATE_ACCEPTED if was_accepted(case) else CASE_STATE_DISCUSSED
    fresh = take(case, Step.REOPEN, to, replace(decision, reason=reason))
    fresh.case_manager = case_manager or case.case_manager
    fresh.times_reopened += 1
    fresh.end_reason = CASE_END_REASON_UNSPECIFIED
    return fresh
