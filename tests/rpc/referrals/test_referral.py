"""The referral by RPC: from discussion to acceptance, and what is refused on the way (checklist 77 to 88)."""

import asyncio

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.kit.errors import DomainError, Reason
from rpc.referrals.desk import MANAGER, OPERATIONAL, SENIOR, Desk
from unit.referrals.builders import form


async def test_a_case_is_referred_and_accepted(desk: Desk) -> None:
    case_id = await desk.accepted()
    answer = await desk.read(case_id)
    assert answer.case.state == records.CASE_STATE_ACCEPTED
    assert answer.case.eligibility.met
    assert answer.case.referral_form_id
    assert answer.case.assessment_id
    assert [step.by for step in answer.case.steps][-1] == SENIOR
    listed = await desk.call(MANAGER, "ListCases", pb.ListCasesRequest(child_id=answer.child_id))
    assert [case.ref.record_id for case in listed.cases] == [case_id]
    none = pb.ListCasesRequest(yot="eastvale", states=[records.CASE_STATE_NOT_CARRIED_FORWARD])
    assert case_id not in [case.ref.record_id for case in (await desk.call(MANAGER, "ListCases", none)).cases]


async def test_steps_out_of_order_are_refused_with_what_is_possible(desk: Desk) -> None:
    case_id = await desk.case()
    request = pb.SendReferralRequest(case_id=case_id, expected_version=1)
    refusal = await desk.refused(MANAGER, "SendReferral", request)
    assert refusal.reason is Reason.ILLEGAL_TRANSITION
    assert "AssessEligibility" in refusal.message
    assert (await desk.read(case_id)).ref.version == 1


async def test_managers_decide_and_case_managers_propose(desk: Desk) -> None:
    case_id = await desk.case()
    for person, method, request in (
        (MANAGER, "AssessEligibility", pb.AssessEligibilityRequest(case_id=case_id, expected_version=1)),
        (MANAGER, "AgreeGoAhead", pb.AgreeGoAheadRequest(case_id=case_id, expected_version=1)),
        (OPERATIONAL, "SendReferral", pb.SendReferralRequest(case_id=case_id, expected_version=1)),
        (OPERATIONAL, "DecideViability", pb.DecideViabilityRequest(case_id=case_id, expected_version=1)),
        ("analyst", "GetCase", pb.GetCaseRequest(case_id=case_id)),
    ):
        assert (await desk.refused(person, method, request)).reason is Reason.PERMISSION_DENIED


async def test_a_form_is_saved_in_versions_and_sent_whole(desk: Desk) -> None:
    case_id = await desk.case()
    saving = pb.SaveReferralFormRequest(case_id=case_id, form=records.ReferralForm(case_manager_name="Case Manager"))
    assert (await desk.call(MANAGER, "SaveReferralForm", saving)).ref.version == 1
    assert (await desk.refused(MANAGER, "SaveReferralForm", saving)).reason is Reason.VERSION_CONFLICT
    refusal = await desk.refused(
        OPERATIONAL, "AssessEligibility", pb.AssessEligibilityRequest(case_id=case_id, expected_version=1)
    )
    assert (refusal.reason, refusal.field) == (Reason.MISSING_VALUE, "form.disposal")
    partly = form(contact_number="", date_of_referral=None)
    partly.aces.sexual_abuse = records.YES_NO_DONT_KNOW_DONT_KNOW
    partly.aces.neglect = records.YES_NO_DONT_KNOW_NO
    saving = pb.SaveReferralFormRequest(case_id=case_id, expected_version=1, form=partly)
    await desk.call(MANAGER, "SaveReferralForm", saving)
    read = await desk.call(SENIOR, "GetReferralForm", pb.GetReferralFormRequest(case_id=case_id))
    assert (read.ref.version, read.ace_count, read.ace_dont_know, read.ace_unanswered) == (2, 1, 1, 7)
    assert read.form == partly
    await desk.step(OPERATIONAL, "AssessEligibility", case_id)
    await desk.step(MANAGER, "AssessReadiness", case_id)
    version = await desk.step(OPERATIONAL, "AgreeGoAhead", case_id)
    sending = pb.SendReferralRequest(case_id=case_id, expected_version=version)
    refusal = await desk.refused(MANAGER, "SendReferral", sending)
    assert (refusal.reason, refusal.field) == (Reason.MISSING_VALUE, "form.contact_number")
    assert "form.date_of_referral" in refusal.message


async def test_a_referral_needs_the_assessment(desk: Desk) -> None:
    case_id = await desk.case()
    whole = form(date_of_referral=None, age=14)
    whole.date_of_referral.CopyFrom(Date(year=2026, month=11, day=1))
    await desk.call(MANAGER, "SaveReferralForm", pb.SaveReferralFormRequest(case_id=case_id, form=whole))
    await desk.step(OPERATIONAL, "AssessEligibility", case_id)
    await desk.step(MANAGER, "AssessReadiness", case_id)
    version = await desk.step(OPERATIONAL, "AgreeGoAhead", case_id)
    sending = pb.SendReferralRequest(case_id=case_id, expected_version=version)
    refusal = await desk.refused(MANAGER, "SendReferral", sending)
    assert (refusal.reason, refusal.field) == (Reason.MISSING_VALUE, "assessment")


async def test_criteria_not_met_end_the_case_with_its_reasons(desk: Desk) -> None:
    case_id = await desk.case()
    await desk.papers(case_id, disposal=records.DISPOSAL_PREVENTION)
    await desk.step(OPERATIONAL, "AssessEligibility", case_id)
    case = (await desk.read(case_id)).case
    assert case.state == records.CASE_STATE_NOT_CARRIED_FORWARD
    assert case.end_reason == records.CASE_END_REASON_CRITERIA_NOT_MET
    assert "exclusion-prevention" in case.steps[-1].reason


async def test_two_first_forms_at_once_are_one(desk: Desk) -> None:
    case_id = await desk.case()
    saving = pb.SaveReferralFormRequest(case_id=case_id, form=form(date_of_referral=None))
    answers = await asyncio.gather(
        *(desk.call(MANAGER, "SaveReferralForm", saving) for _ in range(3)), return_exceptions=True
    )
    refusals = [answer.reason for answer in answers if isinstance(answer, DomainError)]
    assert refusals == [Reason.VERSION_CONFLICT] * 2


async def test_a_child_has_one_open_case(desk: Desk) -> None:
    child_id = await desk.child()
    case_id = await desk.case(child_id)
    refusal = await desk.refused(MANAGER, "OpenCase", pb.OpenCaseRequest(child_id=child_id))
    assert (refusal.reason, refusal.metadata["case_id"]) == (Reason.ALREADY_EXISTS, case_id)


async def test_a_region_without_a_panel_has_no_decision_of_one(desk: Desk) -> None:
    case_id = await desk.accepted()
    version = (await desk.read(case_id)).ref.version
    request = pb.DecidePanelRequest(case_id=case_id, expected_version=version, approved=True)
    assert (await desk.refused(OPERATIONAL, "DecidePanel", request)).reason is Reason.ILLEGAL_TRANSITION


async def test_the_preparation_checklist_is_dated_and_has_its_person(desk: Desk) -> None:
    case_id = await desk.case()
    refusal = await desk.refused(
        MANAGER, "AnswerChecklist", pb.AnswerChecklistRequest(case_id=case_id, expected_version=1, item=107)
    )
    assert (refusal.reason, refusal.field) == (Reason.MISSING_VALUE, "on")
    await desk.step(SENIOR, "AnswerChecklist", case_id, item=107, done=True, on=Date(year=2026, month=11, day=2))
    (line,) = (await desk.read(case_id)).case.checklist
    assert (line.item, line.done, line.by) == (107, True, SENIOR)


async def test_another_case_takes_priority(desk: Desk) -> None:
    case_id = await desk.accepted(upto="AssessReadiness")
    version = (await desk.read(case_id)).ref.version
    request = pb.DeferCaseRequest(case_id=case_id, expected_version=version)
    refusal = await desk.refused(SENIOR, "DeferCase", request)
    assert (refusal.reason, refusal.field) == (Reason.MISSING_VALUE, "reason")
    await desk.step(SENIOR, "DeferCase", case_id, reason="a child in greater danger comes first")
    assert (await desk.read(case_id)).case.state == records.CASE_STATE_POTENTIAL


async def test_services_fetch_every_record_of_a_child_with_its_case(desk: Desk) -> None:
    case_id = await desk.accepted()
    child_id = (await desk.read(case_id)).child_id
    found = await desk.call("ecm-exchange", "ListChildRecords", pb.ListChildRecordsRequest(child_id=child_id))
    assert {version.kind: version.case_id for version in found.versions} == {
        "CHILD": "",
        "CASE": case_id,
        "REFERRAL_FORM": case_id,
        "ASSESSMENT": case_id,
    }


async def test_another_yots_case_is_not_found(desk: Desk) -> None:
    case_id = await desk.case()
    for method, request in (
        ("GetCase", pb.GetCaseRequest(case_id=case_id)),
        ("GetReferralForm", pb.GetReferralFormRequest(case_id=case_id)),
        ("SaveReferralForm", pb.SaveReferralFormRequest(case_id=case_id, form=form())),
        ("AssessReadiness", pb.AssessReadinessRequest(case_id=case_id, expected_version=1)),
        ("CloseCase", pb.CloseCaseRequest(case_id=case_id, expected_version=1, end_reason=7, reason="moved")),
        ("ReopenCase", pb.ReopenCaseRequest(case_id=case_id, expected_version=1, reason="reoffended")),
    ):
        assert (await desk.refused("other-case-manager", method, request)).reason is Reason.NOT_FOUND
