"""The life cycle of a case: which command leads from which state to which (checklist 77 to 99)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from ecm.api.referrals.v1.referrals_records_pb2 import (
    CASE_STATE_ACCEPTED,
    CASE_STATE_CLOSED,
    CASE_STATE_DISCUSSED,
    CASE_STATE_FORMULATION_HELD,
    CASE_STATE_FORMULATION_SCHEDULED,
    CASE_STATE_GO_AHEAD,
    CASE_STATE_INTERVENTION_IN_PROGRESS,
    CASE_STATE_NOT_CARRIED_FORWARD,
    CASE_STATE_PANEL_APPROVAL,
    CASE_STATE_POTENTIAL,
    CASE_STATE_PSYCHOLOGY_WITHDRAWN,
    CASE_STATE_READINESS_ASSESSMENT,
    CASE_STATE_REFERRED,
    CASE_STATE_REPORT_CHECKED,
    CASE_STATE_REPORT_DRAFTED,
    CASE_STATE_REPORT_FINAL,
    CASE_STATE_REPORT_SHARED,
    CASE_STATE_UNSPECIFIED,
    CASE_STATE_VIABILITY_DISCUSSION,
    CaseState,
)
from ecm.kit.region_parts import Referral

State: TypeAlias = "CaseState.ValueType"


class Step(StrEnum):
    """What moves a case: commands by the name of their RPC, and what is followed from other services' events."""

    ASSESS_ELIGIBILITY = "AssessEligibility"
    ASSESS_READINESS = "AssessReadiness"
    DEFER = "DeferCase"
    AGREE_GO_AHEAD = "AgreeGoAhead"
    SEND_REFERRAL = "SendReferral"
    DISCUSS_VIABILITY = "DiscussViability"
    DECIDE_VIABILITY = "DecideViability"
    DECIDE_PANEL = "DecidePanel"
    BEGIN_INTERVENTION = "BeginIntervention"
    WITHDRAW_PSYCHOLOGY = "WithdrawPsychology"
    CLOSE = "CloseCase"
    REOPEN = "ReopenCase"


@dataclass(frozen=True, slots=True)
class Edge:
    """A step may be taken in any of `origins`, and leads to one of `targets`."""

    origins: "frozenset[CaseState.ValueType]"
    targets: "frozenset[CaseState.ValueType]"


# What the formulation's events lead through, in this order and never back (88 to 92).
PROGRESS = (
    CASE_STATE_ACCEPTED,
    CASE_STATE_FORMULATION_SCHEDULED,
    CASE_STATE_FORMULATION_HELD,
    CASE_STATE_REPORT_DRAFTED,
    CASE_STATE_REPORT_CHECKED,
    CASE_STATE_REPORT_FINAL,
    CASE_STATE_REPORT_SHARED,
)
ENDED = frozenset({CASE_STATE_CLOSED, CASE_STATE_NOT_CARRIED_FORWARD})
OPEN = frozenset(CaseState.values()) - ENDED - {CASE_STATE_UNSPECIFIED}
_NO = CASE_STATE_NOT_CARRIED_FORWARD


def life_cycle(switches: Referral) -> Mapping[Step, Edge]:
    """The steps of the region: with or without a central sift (85, 96) and a panel (87)."""
    viable = CASE_STATE_PANEL_APPROVAL if switches.panel_approval else CASE_STATE_ACCEPTED
    sift = CASE_STATE_VIABILITY_DISCUSSION if switches.central_sift else CASE_STATE_REFERRED
    edges = {
        Step.ASSESS_ELIGIBILITY: _edge([CASE_STATE_DISCUSSED], [CASE_STATE_POTENTIAL, _NO]),
        Step.ASSESS_READINESS: _edge([CASE_STATE_POTENTIAL], [CASE_STATE_READINESS_ASSESSMENT]),
        Step.DEFER: _edge([CASE_STATE_READINESS_ASSESSMENT], [CASE_STATE_POTENTIAL]),
        Step.AGREE_GO_AHEAD: _edge([CASE_STATE_READINESS_ASSESSMENT], [CASE_STATE_GO_AHEAD]),
        Step.SEND_REFERRAL: _edge([CASE_STATE_GO_AHEAD], [CASE_STATE_REFERRED]),
        Step.DECIDE_VIABILITY: _edge([sift], [viable, _NO]),
        Step.BEGIN_INTERVENTION: _edge([CASE_STATE_REPORT_SHARED], [CASE_STATE_INTERVENTION_IN_PROGRESS]),
        Step.WITHDRAW_PSYCHOLOGY: _edge([CASE_STATE_INTERVENTION_IN_PROGRESS], [CASE_STATE_PSYCHOLOGY_WITHDRAWN]),
        Step.CLOSE: _edge(OPEN, [CASE_STATE_CLOSED]),
        Step.REOPEN: _edge([CASE_STATE_CLOSED], [CASE_STATE_DISCUSSED, CASE_STATE_ACCEPTED]),
    }
    if switches.central_sift:
        edges[Step.DISCUSS_VIABILITY] = _edge([CASE_STATE_REFERRED], [CASE_STATE_VIABILITY_DISCUSSION])
    if switches.panel_approval:
        edges[Step.DECIDE_PANEL] = _edge([CASE_STATE_PANEL_APPROVAL], [CASE_STATE_ACCEPTED, _NO])
    return edges


def allowed_from(state: State, edges: Mapping[Step, Edge]) -> list[Step]:
    """The commands that the life cycle allows in this state, in its order."""
    return [step for step in Step if step in edges and state in edges[step].origins]


def words(state: State) -> str:
    """The state in words, e.g. "readiness assessment"."""
    return CaseState.Name(state).removeprefix("CASE_STATE_").lower().replace("_", " ")


def _edge(origins: Iterable[State], targets: Iterable[State]) -> Edge:
    return Edge(frozenset(origins), frozenset(targets))
