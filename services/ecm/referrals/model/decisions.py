"""Decisions that carry a case forward or end it (checklist 78 to 87, 183)."""

from dataclasses import dataclass, replace

from ecm.api.referrals.v1.referrals_records_pb2 import (
    CASE_END_REASON_CRITERIA_NOT_MET,
    CASE_END_REASON_NOT_VIABLE,
    CASE_END_REASON_PANEL_REFUSED,
    CASE_STATE_ACCEPTED,
    CASE_STATE_NOT_CARRIED_FORWARD,
    CASE_STATE_POTENTIAL,
    CASE_STATE_PSYCHOLOGY_WITHDRAWN,
    CASE_STATE_REFERRED,
    Case,
    CaseEndReason,
    Eligibility,
)
from ecm.kit.errors import DomainError, Reason
from ecm.referrals.model.case import check_allowed, moved, take
from ecm.referrals.model.eligibility import unmet
from ecm.referrals.model.refusals import invalid, required_text
from ecm.referrals.model.stamp import Decision
from ecm.referrals.model.states import Step


@dataclass(frozen=True, slots=True)
class Papers:
    """Record ids of what goes with a referral (45, 84)."""

    form_id: str
    assessment_id: str


def decide_criteria(case: Case, eligibility: Eligibility, decision: Decision) -> Case:
    """Met: on the list of potentials (80). Not met: not carried forward, with what lacks (79, 196)."""
    if eligibility.met:
        fresh = take(case, Step.ASSESS_ELIGIBILITY, CASE_STATE_POTENTIAL, decision)
    else:
        lacking = replace(decision, reason=unmet(eligibility))
        fresh = _ended(case, Step.ASSESS_ELIGIBILITY, CASE_END_REASON_CRITERIA_NOT_MET, lacking)
    fresh.eligibility.CopyFrom(eligibility)
    fresh.criteria_version = eligibility.criteria_version
    return fresh


def send(case: Case, eligibility: Eligibility, papers: Papers, decision: Decision) -> Case:
    """The referral sent (84). CRITERIA_NOT_MET where the form, as it is now, doesn't meet them any more (235, 236)."""
    check_allowed(case, Step.SEND_REFERRAL, decision.edges)
    if not eligibility.met:
        raise DomainError(Reason.CRITERIA_NOT_MET, f"The form doesn't meet the criteria: {unmet(eligibility)}.")
    fresh = take(case, Step.SEND_REFERRAL, CASE_STATE_REFERRED, decision)
    fresh.referral_form_id, fresh.assessment_id = papers.form_id, papers.assessment_id
    fresh.eligibility.CopyFrom(eligibility)
    return fresh


def decide_viability(case: Case, viable: bool, decision: Decision) -> Case:
    """Viable: accepted, or to the panel where the region has one. Not viable: not carried forward (86)."""
    if not viable:
        return _ended(case, Step.DECIDE_VIABILITY, CASE_END_REASON_NOT_VIABLE, decision)
    (to,) = decision.edges[Step.DECIDE_VIABILITY].targets - {CASE_STATE_NOT_CARRIED_FORWARD}
    return take(case, Step.DECIDE_VIABILITY, to, decision)


def decide_panel(case: Case, approved: bool, decision: Decision) -> Case:
    """The panel's approval (87)."""
    if not approved:
        return _ended(case, Step.DECIDE_PANEL, CASE_END_REASON_PANEL_REFUSED, decision)
    return take(case, Step.DECIDE_PANEL, CASE_STATE_ACCEPTED, decision)


def withdraw_psychology(case: Case, confident: bool, satisfactory: bool, decision: Decision) -> Case:
    """The psychologist steps back. INVALID_VALUE unless both conditions of 183 hold."""
    check_allowed(case, Step.WITHDRAW_PSYCHOLOGY, decision.edges)
    if not confident:
        raise invalid("case_manager_confident", "psychology ends when the case manager is confident to go on alone.")
    if not satisfactory:
        raise invalid("progress_satisfactory", "psychology ends when it is agreed that progress is satisfactory.")
    return take(case, Step.WITHDRAW_PSYCHOLOGY, CASE_STATE_PSYCHOLOGY_WITHDRAWN, decision)


def not_carried_forward(case: Case, end_reason: "CaseEndReason.ValueType", decision: Decision) -> Case:
    """The case not carried forward, from whatever state it is in: a decision that was checked when it was made."""
    fresh = moved(case, CASE_STATE_NOT_CARRIED_FORWARD, decision.stamp, decision.reason)
    fresh.end_reason = end_reason
    return fresh


def _ended(case: Case, step: Step, end_reason: "CaseEndReason.ValueType", decision: Decision) -> Case:
    check_allowed(case, step, decision.edges)
    required_text(decision.reason, "reason")
    return not_carried_forward(case, end_reason, decision)
