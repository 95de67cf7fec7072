"""The report from draft to circulation, and who may do what (checklist 168 to 175, 224 to 227)."""

from typing import Any

import pytest

from ecm.api.common.v1.values_pb2 import Document, FreeText, ProtectedDeclaration
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.kit.errors import Reason
from rpc.formulation.conftest import Formulation, refused
from rpc.formulation.journey import AUTHORITY, PDF, PSYCHOLOGY, CaseWay, circulate, finalise, today

DECLARED = Document(content_type="application/pdf", content=b"%PDF-1.7 final", declaration=ProtectedDeclaration())


async def test_a_report_is_drafted_checked_final_and_circulated(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    draft = await way.drafted(await way.held())
    draft = await way.checked(await way.checked(draft, "senior-practitioner"), "case-manager")
    request = finalise(draft)
    request.document.CopyFrom(DECLARED)
    report = (await formulation.psychologist("FinaliseReport", request)).ref
    await formulation.person("case-manager", "CirculateReport", circulate(report))

    read = pb.GetReportRequest(report_id=report.record_id)
    found = (await formulation.person("case-manager", "GetReport", read)).report
    assert [(each.agency, each.ended) for each in found.circulations] == [(AUTHORITY, False)]
    assert found.author.registration == "PYL00001"
    assert found.document == DECLARED
    drafted = pb.GetReportDraftRequest(draft_id=draft.record_id)
    state = (await formulation.person("case-manager", "GetReportDraft", drafted)).draft
    assert (state.state, state.report_id) == (records.REPORT_DRAFT_STATE_FINALISED, report.record_id)


async def test_no_report_before_the_meeting(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    assert (await refused(way.drafted(await way.scheduled()))).reason is Reason.ILLEGAL_TRANSITION


async def test_a_draft_needs_both_checks_and_a_new_draft_needs_them_again(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    meeting = await way.held()
    draft = await way.checked(await way.drafted(meeting), "case-manager")
    early = formulation.psychologist("FinaliseReport", finalise(draft))
    assert (await refused(early)).reason is Reason.ILLEGAL_TRANSITION
    draft = await way.checked(draft, "senior-practitioner")
    anew = pb.DraftReportRequest(
        draft_id=draft.record_id,
        expected_version=draft.version,
        document=Document(content_type="application/pdf", content=b"%PDF-1.7 another"),
    )
    draft = (await formulation.psychologist("DraftReport", anew)).ref
    early = formulation.psychologist("FinaliseReport", finalise(draft))
    assert (await refused(early)).reason is Reason.ILLEGAL_TRANSITION


async def test_the_draft_must_be_the_one_that_was_seen(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    draft = await way.drafted(await way.held())
    await way.checked(draft, "case-manager")
    assert (await refused(way.checked(draft, "senior-practitioner"))).reason is Reason.VERSION_CONFLICT


async def test_an_amendment_is_a_record_of_its_own_and_circulated_anew(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    report = await way.circulated()
    amend = pb.AmendReportRequest(
        report_id=report.record_id, expected_version=report.version, document=PDF, reason="A date was wrong."
    )
    amendment = (await formulation.psychologist("AmendReport", amend)).ref
    read = pb.GetReportRequest(report_id=amendment.record_id)
    found = (await formulation.person("case-manager", "GetReport", read)).report
    assert (found.amends_id, list(found.circulations)) == (report.record_id, [])
    old = pb.GetReportRequest(report_id=report.record_id)
    replaced = await formulation.person("case-manager", "GetReport", old)
    assert replaced.report.amended_by_id == amendment.record_id
    again = formulation.person("case-manager", "CirculateReport", circulate(replaced.ref))
    assert (await refused(again)).reason is Reason.ILLEGAL_TRANSITION
    await formulation.person("case-manager", "CirculateReport", circulate(amendment))


async def test_only_agencies_agreed_at_the_meeting_get_the_report(formulation: Formulation) -> None:
    report = await CaseWay.of(formulation).final()
    wide = circulate(report, AUTHORITY, "custody-northgate")
    refusal = await refused(formulation.person("case-manager", "CirculateReport", wide))
    assert refusal.reason is Reason.CIRCULATION_NOT_AGREED
    by_senior = formulation.person("senior-practitioner", "CirculateReport", circulate(report))
    assert (await refused(by_senior)).reason is Reason.PERMISSION_DENIED


async def test_consent_is_asked_for_the_very_agencies(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    report = await way.final()
    formulation.others.closed_gates[str(way.case)] = "The agreement has ended."
    call = formulation.person("case-manager", "CirculateReport", circulate(report))
    assert (await refused(call)).reason is Reason.CONSENT_REQUIRED
    assert list(formulation.others.gates[-1].agencies) == [AUTHORITY]
    formulation.others.closed_gates.clear()


async def test_an_ended_circulation_is_told_to_consent_first(formulation: Formulation) -> None:
    report = await CaseWay.of(formulation).circulated()
    end = pb.EndCirculationRequest(
        report_id=report.record_id, expected_version=report.version, agency=AUTHORITY, reason="Sent in error."
    )
    ended = (await formulation.person("operational-manager", "EndCirculation", end)).ref
    told = formulation.others.narrowed[-1].record
    assert (told.record_id, told.agency) == (report.record_id, AUTHORITY)
    await formulation.person("case-manager", "CirculateReport", circulate(ended))
    read = pb.GetReportRequest(report_id=report.record_id)
    found = (await formulation.person("case-manager", "GetReport", read)).report
    assert [each.ended for each in found.circulations] == [True, False]


def clinical(case: str) -> dict[str, Any]:
    four = {f"{aspect}_years": "7.5" for aspect in ("physical", "social", "cognitive", "emotional")}
    stage = records.RecoveryStage(model="trm", model_version="1", stage=2, effective_on=today())
    item = records.Recommendation(what=FreeText(text="Predictable sessions"), who="Case manager", sequence=1)
    return {
        "RecordDevelopmentalMap": pb.RecordDevelopmentalMapRequest(
            case_id=case, map=records.DevelopmentalMap(**four, effective_on=today())
        ),
        "PlaceOnRecoveryModel": pb.PlaceOnRecoveryModelRequest(case_id=case, stage=stage),
        "RecordRecommendations": pb.RecordRecommendationsRequest(
            case_id=case, recommendations=records.Recommendations(items=[item])
        ),
    }


async def test_the_psychologist_records_and_the_yot_reads(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    for method, request in clinical(str(way.case)).items():
        await formulation.psychologist(method, request)
    read = pb.GetFormulationRequest(case_id=str(way.case))
    found = await formulation.person("case-manager", "GetFormulation", read)
    assert found.developmental_maps[0].map.author.registration == "PYL00001"
    assert found.recovery_stages[0].stage.stage == 2
    assert found.recommendations[0].recommendations.items[0].key


@pytest.mark.parametrize("method", ["RecordDevelopmentalMap", "PlaceOnRecoveryModel", "RecordRecommendations"])
async def test_nobody_else_writes_clinically(formulation: Formulation, method: str) -> None:
    way = CaseWay.of(formulation)
    request = clinical(str(way.case))[method]
    for person in ("case-manager", "senior-practitioner", "operational-manager", "administrator"):
        assert (await refused(formulation.person(person, method, request))).reason is Reason.PERMISSION_DENIED
    other = formulation.partner(AUTHORITY, method, request)
    assert (await refused(other)).reason is Reason.PERMISSION_DENIED
    nameless = formulation.partner(PSYCHOLOGY, method, request)
    assert (await refused(nameless)).reason is Reason.AUTHOR_REQUIRED
    formulation.others.closed_gates[str(way.case)] = "Withdrawn."
    late = formulation.psychologist(method, request)
    assert (await refused(late)).reason is Reason.CONSENT_REQUIRED
    formulation.others.closed_gates.clear()


async def test_services_fetch_versions_and_people_dont(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    draft = await way.drafted(await way.held())
    await way.checked(draft, "case-manager")
    versions = pb.ListRecordVersionsRequest(record_id=draft.record_id)
    found = (await formulation.service("ecm-exchange", "ListRecordVersions", versions)).versions
    assert [(each.version, each.kind) for each in found] == [(1, "REPORT_DRAFT"), (2, "REPORT_DRAFT")]
    of_child = pb.ListChildRecordsRequest(child_id=str(way.child))
    kinds = {each.kind for each in (await formulation.service("ecm-consent", "ListChildRecords", of_child)).versions}
    assert kinds == {"MEETING", "REPORT_DRAFT"}
    call = formulation.person("case-manager", "ListChildRecords", of_child)
    assert (await refused(call)).reason is Reason.PERMISSION_DENIED
