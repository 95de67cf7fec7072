"""The life cycle as a state machine: what is allowed, what is refused and with which words (checklist 77 to 99)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.api.referrals.v1.referrals_records_pb2 import CaseState
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region_parts import Referral
from ecm.referrals.model import decisions
from ecm.referrals.model.case import check_closing, close, open_case, reopen, take
from ecm.referrals.model.following import follow_consent, follow_progress, follow_withdrawal
from ecm.referrals.model.states import ENDED, PROGRESS, Step, allowed_from, life_cycle
from unit.referrals.builders import NOW, STAMP, WITH_PANEL, WITH_SIFT, case_in, decision, refused

S = pb
MET = pb.Eligibility(met=True, criteria_version=1)
UNMET = pb.Eligibility(met=False, findings=[pb.CriterionFinding(criterion="sentenced", working="not sentenced yet")])


def steps_of(case: pb.Case) -> list[tuple[int, int]]:
    return [(getattr(step, "from"), step.to) for step in case.steps]


def test_the_whole_way_of_a_case() -> None:
    case = open_case("case-manager", STAMP)
    case = decisions.decide_criteria(case, MET, decision())
    case = take(case, Step.ASSESS_READINESS, S.CASE_STATE_READINESS_ASSESSMENT, decision())
    case = take(case, Step.DEFER, S.CASE_STATE_POTENTIAL, decision("another case first"))
    case = take(case, Step.ASSESS_READINESS, S.CASE_STATE_READINESS_ASSESSMENT, decision())
    case = take(case, Step.AGREE_GO_AHEAD, S.CASE_STATE_GO_AHEAD, decision())
    case = decisions.send(case, MET, decisions.Papers("form", "assessment"), decision())
    case = take(case, Step.DISCUSS_VIABILITY, S.CASE_STATE_VIABILITY_DISCUSSION, decision())
    case = decisions.decide_viability(case, True, decision())
    for reached in PROGRESS[1:]:
        case = follow_progress(case, reached, None, STAMP)
    case = take(case, Step.BEGIN_INTERVENTION, S.CASE_STATE_INTERVENTION_IN_PROGRESS, decision())
    case = decisions.withdraw_psychology(case, True, True, decision())
    case = close(case, S.CASE_END_REASON_COMPLETED, decision("goes on alone"))
    assert (case.state, case.referral_form_id, len(case.steps)) == (S.CASE_STATE_CLOSED, "form", 18)
    assert all(step.by and step.at.seconds and step.criteria_version == 1 for step in case.steps)
    assert all(earlier[1] == later[0] for earlier, later in zip(steps_of(case), steps_of(case)[1:], strict=False))


def test_a_refusal_says_what_is_possible() -> None:
    with refused(Reason.ILLEGAL_TRANSITION) as refusal:
        take(case_in(S.CASE_STATE_DISCUSSED), Step.SEND_REFERRAL, S.CASE_STATE_REFERRED, decision())
    assert "discussed" in refusal.message
    assert "AssessEligibility, CloseCase" in refusal.message


@pytest.mark.parametrize("ended", sorted(ENDED))
def test_an_ended_case_allows_reopening_at_most(ended: int) -> None:
    allowed = allowed_from(ended, life_cycle(WITH_PANEL))
    assert allowed == ([Step.REOPEN] if ended == S.CASE_STATE_CLOSED else [])


def test_not_met_and_not_viable_end_a_case_with_reasons() -> None:
    case = decisions.decide_criteria(case_in(S.CASE_STATE_DISCUSSED), UNMET, decision())
    assert (case.state, case.end_reason) == (S.CASE_STATE_NOT_CARRIED_FORWARD, S.CASE_END_REASON_CRITERIA_NOT_MET)
    assert case.steps[-1].reason == "sentenced: not sentenced yet"
    discussed = case_in(S.CASE_STATE_VIABILITY_DISCUSSION)
    with refused(Reason.MISSING_VALUE, "reason"):
        decisions.decide_viability(discussed, False, decision("  "))
    case = decisions.decide_viability(discussed, False, decision("too short an order"))
    assert (case.state, case.end_reason) == (S.CASE_STATE_NOT_CARRIED_FORWARD, S.CASE_END_REASON_NOT_VIABLE)


def test_a_panel_comes_between_where_the_region_has_one() -> None:
    case = decisions.decide_viability(case_in(S.CASE_STATE_VIABILITY_DISCUSSION), True, decision(switches=WITH_PANEL))
    assert case.state == S.CASE_STATE_PANEL_APPROVAL
    assert decisions.decide_panel(case, True, decision(switches=WITH_PANEL)).state == S.CASE_STATE_ACCEPTED
    refusal = decisions.decide_panel(case, False, decision("no capacity", WITH_PANEL))
    assert refusal.end_reason == S.CASE_END_REASON_PANEL_REFUSED
    with refused(Reason.ILLEGAL_TRANSITION):
        decisions.decide_panel(case, True, decision(switches=WITH_SIFT))


def test_without_a_central_sift_discussion_and_decision_are_one_step() -> None:
    alone = Referral(central_sift=False)
    referred = case_in(S.CASE_STATE_REFERRED)
    assert decisions.decide_viability(referred, True, decision(switches=alone)).state == S.CASE_STATE_ACCEPTED
    with refused(Reason.ILLEGAL_TRANSITION):
        take(referred, Step.DISCUSS_VIABILITY, S.CASE_STATE_VIABILITY_DISCUSSION, decision(switches=alone))
    with refused(Reason.ILLEGAL_TRANSITION):
        decisions.decide_viability(referred, True, decision(switches=WITH_SIFT))


def test_a_referral_is_not_sent_once_the_form_fails_the_criteria() -> None:
    with refused(Reason.CRITERIA_NOT_MET):
        decisions.send(case_in(S.CASE_STATE_GO_AHEAD), UNMET, decisions.Papers("f", "a"), decision())


@pytest.mark.parametrize(
    ("confident", "satisfactory", "field"),
    [(False, True, "case_manager_confident"), (True, False, "progress_satisfactory")],
)
def test_psychology_ends_when_both_conditions_hold(confident: bool, satisfactory: bool, field: str) -> None:
    case = case_in(S.CASE_STATE_INTERVENTION_IN_PROGRESS)
    with refused(Reason.INVALID_VALUE, field):
        decisions.withdraw_psychology(case, confident, satisfactory, decision())


def test_closing_says_why() -> None:
    with refused(Reason.MISSING_VALUE, "end_reason"):
        check_closing(S.CASE_END_REASON_UNSPECIFIED, "why")
    with refused(Reason.INVALID_VALUE, "end_reason"):
        check_closing(S.CASE_END_REASON_NOT_VIABLE, "why")
    with refused(Reason.MISSING_VALUE, "reason"):
        check_closing(S.CASE_END_REASON_MOVED, " ")


def test_reopening_leads_back_to_where_the_case_belongs() -> None:
    ecm = case_in(S.CASE_STATE_CLOSED, S.CASE_STATE_DISCUSSED, S.CASE_STATE_ACCEPTED)
    again = reopen(ecm, decision("reoffended"), "", "")
    assert (again.state, again.times_reopened, again.case_manager) == (S.CASE_STATE_ACCEPTED, 1, "case-manager")
    never = case_in(S.CASE_STATE_CLOSED, S.CASE_STATE_DISCUSSED)
    assert reopen(never, decision("reoffended"), "", "").state == S.CASE_STATE_DISCUSSED
    with refused(Reason.MISSING_VALUE, "reason"):
        reopen(ecm, decision(), "", "")
    with refused(Reason.MISSING_VALUE, "other_manager_reason"):
        reopen(ecm, decision("reoffended"), "somebody-else", "")
    assert reopen(ecm, decision("reoffended"), "somebody-else", "has left").case_manager == "somebody-else"


def test_older_progress_never_leads_back() -> None:
    case = case_in(S.CASE_STATE_REPORT_FINAL, S.CASE_STATE_ACCEPTED)
    assert follow_progress(case, S.CASE_STATE_FORMULATION_HELD, None, STAMP) is case
    assert follow_progress(case, S.CASE_STATE_REPORT_FINAL, None, STAMP) is case
    assert follow_progress(case, S.CASE_STATE_REPORT_SHARED, None, STAMP).state == S.CASE_STATE_REPORT_SHARED


def test_progress_may_skip_what_came_late() -> None:
    case = case_in(S.CASE_STATE_ACCEPTED)
    assert follow_progress(case, S.CASE_STATE_FORMULATION_HELD, None, STAMP).state == S.CASE_STATE_FORMULATION_HELD


def test_the_first_formulation_does_not_move_a_reopened_case() -> None:
    closed = case_in(S.CASE_STATE_CLOSED, S.CASE_STATE_DISCUSSED, S.CASE_STATE_ACCEPTED)
    case = reopen(closed, decision("reoffended"), "", "")
    before, after = NOW - timedelta(days=1), NOW + timedelta(days=1)
    assert follow_progress(case, S.CASE_STATE_REPORT_SHARED, before, STAMP) is case
    assert follow_progress(case, S.CASE_STATE_REPORT_SHARED, after, STAMP).state == S.CASE_STATE_REPORT_SHARED


def test_withdrawal_halts_and_a_new_consent_leads_back() -> None:
    case = case_in(S.CASE_STATE_FORMULATION_SCHEDULED, S.CASE_STATE_ACCEPTED)
    halted = follow_withdrawal(case, STAMP)
    assert halted.state == S.CASE_STATE_CONSENT_WITHDRAWN
    assert follow_withdrawal(halted, STAMP) is halted
    assert follow_consent(halted, STAMP).state == S.CASE_STATE_FORMULATION_SCHEDULED
    assert follow_consent(case, STAMP) is case


def test_progress_that_arrives_during_a_withdrawal_is_not_lost() -> None:
    halted = follow_withdrawal(case_in(S.CASE_STATE_FORMULATION_SCHEDULED, S.CASE_STATE_ACCEPTED), STAMP)
    held = follow_progress(halted, S.CASE_STATE_FORMULATION_HELD, None, STAMP)
    assert held.state == S.CASE_STATE_CONSENT_WITHDRAWN
    assert follow_progress(held, S.CASE_STATE_FORMULATION_HELD, None, STAMP) is held
    assert follow_consent(held, STAMP).state == S.CASE_STATE_FORMULATION_HELD


@pytest.mark.parametrize("ended", sorted(ENDED))
def test_ended_cases_follow_nothing(ended: int) -> None:
    case = case_in(ended, S.CASE_STATE_ACCEPTED)
    assert follow_withdrawal(case, STAMP) is case
    assert follow_consent(case, STAMP) is case
    assert follow_progress(case, S.CASE_STATE_REPORT_SHARED, None, STAMP) is case


moves = st.lists(st.one_of(st.sampled_from(list(Step)), st.sampled_from(PROGRESS), st.sampled_from("+-")), max_size=40)


@given(moves, st.booleans(), st.booleans())
def test_whatever_is_tried_the_record_stays_true(tried: list[object], sift: bool, panel: bool) -> None:
    """Random attempts: each is refused or recorded; the steps join up; a report never comes before acceptance."""
    switches = Referral(central_sift=sift, panel_approval=panel)
    edges = life_cycle(switches)
    case = open_case("case-manager", STAMP)
    for move in tried:
        before = case
        if isinstance(move, Step):
            legal = move in allowed_from(case.state, edges)
            try:
                target = sorted(edges[move].targets)[0] if move in edges else S.CASE_STATE_CLOSED
                case = take(case, move, target, decision(switches=switches))
            except DomainError as error:
                assert error.reason is Reason.ILLEGAL_TRANSITION
                assert not legal
                continue
            assert legal
        elif move == "-":
            case = follow_withdrawal(case, STAMP)
        elif move == "+":
            case = follow_consent(case, STAMP)
        else:
            case = follow_progress(case, move, None, STAMP)  # type: ignore[arg-type]
        assert case is before or len(case.steps) == len(before.steps) + 1
        assert case.state == case.steps[-1].to
        reached = {step.to for step in case.steps}
        if reached & set(PROGRESS[1:]):
            assert S.CASE_STATE_ACCEPTED in reached
        if before.state in PROGRESS and case.state in PROGRESS:
            assert PROGRESS.index(case.state) >= PROGRESS.index(before.state)


def test_every_state_can_be_reached() -> None:
    edges = life_cycle(WITH_PANEL)
    reached = set().union(*(edge.targets for edge in edges.values())) | set(PROGRESS)
    reached |= {S.CASE_STATE_UNSPECIFIED, S.CASE_STATE_DISCUSSED, S.CASE_STATE_CONSENT_WITHDRAWN}
    assert reached == set(CaseState.values())
