"""The case and its papers: opened, form, AssetPlus, sent (checklist 29 to 76, 84)."""

from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1.referrals_records_pb2 import Assessment, Case, Eligibility, ReferralForm
from ecm.api.referrals.v1.referrals_service_pb2 import (
    AssessEligibilityRequest,
    AttachAssessmentRequest,
    OpenCaseRequest,
    SaveReferralFormRequest,
    SendReferralRequest,
)
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.referrals.commands.deciding import (
    case_at,
    check_no_other_open,
    check_version,
    criteria,
    decision,
    ref_of,
    save_case,
    stamp,
)
from ecm.referrals.commands.replacing import ReplacingAssessment, ReplacingForm, check_updatable
from ecm.referrals.model import decisions
from ecm.referrals.model.assessment import check_assessment
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.case import check_allowed, check_open, open_case, was_accepted
from ecm.referrals.model.dates import to_date
from ecm.referrals.model.eligibility import assess
from ecm.referrals.model.form import check_form, check_sendable
from ecm.referrals.model.refusals import missing
from ecm.referrals.model.states import Step
from ecm.referrals.store import (
    ASSESSMENT,
    CASE,
    REFERRAL_FORM,
    assessment_of,
    cases_of,
    form_of,
    get_case,
    get_child,
)


async def open_new_case(tx: Tx, request: OpenCaseRequest) -> RecordRef:
    """A case in discussion; ALREADY_EXISTS while the child has one that is open."""
    check_bounds(request)
    child = await get_child(tx, request.child_id, lock=True)
    await check_no_other_open(tx, child.record_id)
    case = open_case(request.case_manager.strip() or tx.principal.id, stamp(tx))
    case_id = tx.ids.uuid()
    made = await tx.records.create(
        CASE, case, child_id=child.record_id, case_id=case_id, yot=child.yot, record_id=case_id
    )
    return ref_of(made)


async def save_referral_form(tx: Tx, request: SaveReferralFormRequest) -> RecordRef:
    """The form's next version, a dated snapshot (76)."""
    case = await get_case(tx, request.case_id, lock=True)
    check_open(case.content)
    await check_updatable(tx, ReplacingForm(request))
    held = await form_of(tx, case.record_id)
    check_version(held.version if held else 0, request.expected_version)
    child = await get_child(tx, str(case.child_id))
    check_form(request.form, case.yot, to_date(child.content.date_of_birth, "date_of_birth"), tx.today)
    if held is not None:
        return ref_of(await tx.records.update(held, request.form))
    return ref_of(await _first(tx, case, REFERRAL_FORM, request.form))


async def attach_assessment(tx: Tx, request: AttachAssessmentRequest) -> RecordRef:
    """The AssetPlus assessment's next version: another one, or another rendition of it, that isn't stricter."""
    case = await get_case(tx, request.case_id, lock=True)
    check_open(case.content)
    await check_updatable(tx, ReplacingAssessment(request))
    check_assessment(request.assessment, tx.today)
    held = await assessment_of(tx, case.record_id)
    if held is not None:
        return ref_of(await tx.records.update(held, request.assessment))
    return ref_of(await _first(tx, case, ASSESSMENT, request.assessment))


async def assess_eligibility(tx: Tx, request: AssessEligibilityRequest) -> RecordRef:
    """Criteria met: potential; not met: not carried forward. The working stands in the case (78 to 80)."""
    held = await case_at(tx, request.case_id, request.expected_version)
    verdict = decision(tx)
    check_allowed(held.content, Step.ASSESS_ELIGIBILITY, verdict.edges)
    form = await _form(tx, held.record_id)
    eligibility = await _eligibility(tx, held, form.content)
    return await save_case(tx, held, decisions.decide_criteria(held.content, eligibility, verdict))


async def send_referral(tx: Tx, request: SendReferralRequest) -> RecordRef:
    """Form and AssetPlus go to the senior practitioner (84)."""
    held = await case_at(tx, request.case_id, request.expected_version)
    verdict = decision(tx)
    check_allowed(held.content, Step.SEND_REFERRAL, verdict.edges)
    form = await _form(tx, held.record_id)
    check_sendable(form.content)
    assessment = await assessment_of(tx, held.record_id)
    if assessment is None:
        raise missing("assessment", "the AssetPlus assessment isn't attached yet (AttachAssessment).")
    papers = decisions.Papers(str(form.record_id), str(assessment.record_id))
    eligibility = await _eligibility(tx, held, form.content)
    return await save_case(tx, held, decisions.send(held.content, eligibility, papers, verdict))


async def _first(
    tx: Tx, case: Record[Case], kind: str, content: ReferralForm | Assessment
) -> Record[ReferralForm | Assessment]:
    return await tx.records.create(kind, content, child_id=case.child_id, case_id=case.record_id, yot=case.yot)


async def _form(tx: Tx, case_id: UUID) -> Record[ReferralForm]:
    form = await form_of(tx, case_id)
    if form is None:
        raise missing("form", "the referral form isn't saved yet (SaveReferralForm).")
    return form


async def _eligibility(tx: Tx, held: Record[Case], form: ReferralForm) -> Eligibility:
    cases = await cases_of(tx, held.child_id)
    already = any(was_accepted(case.content) for case in cases)
    return assess(form, criteria(tx), ecm_case_already=already, stamp=stamp(tx))
