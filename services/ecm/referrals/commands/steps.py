"""The steps of a case after its papers: readiness, viability, panel, intervention, end of psychology, reopening."""

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1.referrals_records_pb2 import (
    CASE_STATE_GO_AHEAD,
    CASE_STATE_INTERVENTION_IN_PROGRESS,
    CASE_STATE_POTENTIAL,
    CASE_STATE_READINESS_ASSESSMENT,
    CASE_STATE_VIABILITY_DISCUSSION,
)
from ecm.api.referrals.v1.referrals_service_pb2 import (
    AgreeGoAheadRequest,
    AnswerChecklistRequest,
    AssessReadinessRequest,
    BeginInterventionRequest,
    DecidePanelRequest,
    DecideViabilityRequest,
    DeferCaseRequest,
    DiscussViabilityRequest,
    ReopenCaseRequest,
    WithdrawPsychologyRequest,
)
from ecm.kit.db.uow import Tx
from ecm.referrals.commands.deciding import case_at, check_no_other_open, check_on_panel, decision, save_case
from ecm.referrals.model import decisions
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.case import check_allowed, reopen, take
from ecm.referrals.model.dates import past_date
from ecm.referrals.model.preparation import answer
from ecm.referrals.model.refusals import missing, required_text
from ecm.referrals.model.states import State, Step
from ecm.referrals.store import get_child


async def assess_readiness(tx: Tx, request: AssessReadinessRequest) -> RecordRef:
    """Readiness is assessed (81)."""
    return await _take(tx, request, Step.ASSESS_READINESS, CASE_STATE_READINESS_ASSESSMENT, request.note)


async def defer_case(tx: Tx, request: DeferCaseRequest) -> RecordRef:
    """Back to the list of potentials: another case takes priority (82, 26)."""
    reason = required_text(request.reason, "reason")
    return await _take(tx, request, Step.DEFER, CASE_STATE_POTENTIAL, reason)


async def agree_go_ahead(tx: Tx, request: AgreeGoAheadRequest) -> RecordRef:
    """Go-ahead agreed in the YOT (83)."""
    return await _take(tx, request, Step.AGREE_GO_AHEAD, CASE_STATE_GO_AHEAD, request.reason)


async def discuss_viability(tx: Tx, request: DiscussViabilityRequest) -> RecordRef:
    """Appropriateness and viability are discussed (85)."""
    return await _take(tx, request, Step.DISCUSS_VIABILITY, CASE_STATE_VIABILITY_DISCUSSION, "")


async def begin_intervention(tx: Tx, request: BeginInterventionRequest) -> RecordRef:
    """Intervention gets under way (93)."""
    return await _take(tx, request, Step.BEGIN_INTERVENTION, CASE_STATE_INTERVENTION_IN_PROGRESS, "")


async def decide_viability(tx: Tx, request: DecideViabilityRequest) -> RecordRef:
    """Viable (86). What isn't ends a case, and goes through `consent` (`narrowing_kinds.NotViable`)."""
    check_bounds(request)
    held = await case_at(tx, request.case_id, request.expected_version)
    verdict = decision(tx, request.reason)
    return await save_case(tx, held, decisions.decide_viability(held.content, True, verdict), verdict.reason)


async def decide_panel(tx: Tx, request: DecidePanelRequest) -> RecordRef:
    """The panel approves (87), by a role that the region binds to it (7). For its refusal see `PanelRefusal`."""
    check_bounds(request)
    held = await case_at(tx, request.case_id, request.expected_version)
    verdict = decision(tx, request.reason)
    check_allowed(held.content, Step.DECIDE_PANEL, verdict.edges)
    check_on_panel(tx, held.yot)
    return await save_case(tx, held, decisions.decide_panel(held.content, True, verdict), verdict.reason)


async def withdraw_psychology(tx: Tx, request: WithdrawPsychologyRequest) -> RecordRef:
    """The psychologist steps back (94, 183)."""
    check_bounds(request)
    held = await case_at(tx, request.case_id, request.expected_version)
    verdict = decision(tx, request.reason)
    confident, satisfactory = request.case_manager_confident, request.progress_satisfactory
    case = decisions.withdraw_psychology(held.content, confident, satisfactory, verdict)
    return await save_case(tx, held, case, verdict.reason)


async def reopen_case(tx: Tx, request: ReopenCaseRequest) -> RecordRef:
    """The case open again (184 to 186); ALREADY_EXISTS while the child has another that is open."""
    check_bounds(request)
    held = await case_at(tx, request.case_id, request.expected_version)
    verdict = decision(tx, request.reason)
    case = reopen(held.content, verdict, request.case_manager.strip(), request.other_manager_reason)
    await get_child(tx, str(held.child_id), lock=True)
    await check_no_other_open(tx, held.child_id)
    return await save_case(tx, held, case, verdict.reason)


async def answer_checklist(tx: Tx, request: AnswerChecklistRequest) -> RecordRef:
    """A line of the preparation checklist (100 to 114)."""
    if not request.HasField("on"):
        raise missing("on")
    on = past_date(request.on, "on", tx.today)
    held = await case_at(tx, request.case_id, request.expected_version)
    return await save_case(tx, held, answer(held.content, request.item, request.done, on, tx.principal.id))


_Plain = (
    AssessReadinessRequest | DeferCaseRequest | AgreeGoAheadRequest | DiscussViabilityRequest | BeginInterventionRequest
)


async def _take(tx: Tx, request: _Plain, step: Step, to: State, reason: str) -> RecordRef:
    check_bounds(request)
    held = await case_at(tx, request.case_id, request.expected_version)
    verdict = decision(tx, reason)
    return await save_case(tx, held, take(held.content, step, to, verdict), verdict.reason)
