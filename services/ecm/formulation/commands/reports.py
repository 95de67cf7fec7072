"""The report: draft, checks, final, amendment (checklist 168 to 175, 225, 226)."""

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Meeting, Report, ReportDraft
from ecm.formulation.commands.cases import leading, open_case
from ecm.formulation.model import reports
from ecm.formulation.model.values import invalid
from ecm.formulation.peers import Peers
from ecm.formulation.store import create, find_case, load, load_at, of_case, ref_of
from ecm.kit.db.uow import Tx


async def draft_report(peers: Peers, tx: Tx, request: pb.DraftReportRequest) -> RecordRef:
    """The first draft of a held meeting's report, or a new one in its place."""
    if request.draft_id:
        return await _draft_anew(peers, tx, request)
    if request.expected_version:
        raise invalid("Without an id there is nothing to expect a version of.", "expected_version")
    meeting = await load(tx, request.meeting_id, Meeting, "meeting_id")
    case, author = await leading(peers, tx, str(meeting.case_id), "meeting")
    await find_case(tx, case.case_id, lock=True)
    drafts = [draft.content for draft in await of_case(tx, case.case_id, ReportDraft)]
    made = reports.drafted(str(meeting.record_id), meeting.content, request.document, author, drafts)
    return ref_of(await create(tx, case, made))


async def _draft_anew(peers: Peers, tx: Tx, request: pb.DraftReportRequest) -> RecordRef:
    """The draft's next version, which both check again; its meeting needn't be named, and can't be another."""
    draft = await load(tx, request.draft_id, ReportDraft, "draft_id")
    _, author = await leading(peers, tx, str(draft.case_id), "report draft")
    draft = await load_at(tx, request.draft_id, ReportDraft, "draft_id", request.expected_version)
    if request.meeting_id not in ("", draft.content.meeting_id):
        raise invalid("The draft reports another meeting.", "meeting_id")
    return ref_of(await tx.records.update(draft, reports.drafted_anew(draft.content, request.document, author)))


async def check_report(peers: Peers, tx: Tx, request: pb.CheckReportRequest) -> RecordRef:
    """Notes an accuracy check, in the role that its person has in the case's YOT."""
    draft = await load_at(tx, request.draft_id, ReportDraft, "draft_id", request.expected_version)
    await open_case(peers, tx, str(draft.case_id))
    roles = [role for yot, role in tx.principal.roles if yot == draft.yot]
    checked = reports.checked(draft.content, tx.principal.id, roles, request.corrections, tx.now)
    return ref_of(await tx.records.update(draft, checked))


async def finalise_report(peers: Peers, tx: Tx, request: pb.FinaliseReportRequest) -> RecordRef:
    """Makes the report of a checked draft: a record of its own, and the draft points at it."""
    draft = await load(tx, request.draft_id, ReportDraft, "draft_id")
    case, author = await leading(peers, tx, str(draft.case_id), "report draft")
    draft = await load_at(tx, request.draft_id, ReportDraft, "draft_id", request.expected_version)
    final = reports.final(draft.content, str(draft.record_id), request.document, author, now=tx.now)
    report = await create(tx, case, final)
    await tx.records.update(draft, reports.finalised(draft.content, str(report.record_id)))
    return ref_of(report)


async def amend_report(peers: Peers, tx: Tx, request: pb.AmendReportRequest) -> RecordRef:
    """An amendment, a record of its own that nobody gets until it is circulated; the amended report points at it."""
    report = await load(tx, request.report_id, Report, "report_id")
    case, author = await leading(peers, tx, str(report.case_id), "report")
    report = await load_at(tx, request.report_id, Report, "report_id", request.expected_version)
    amendment = reports.amendment(
        report.content, str(report.record_id), request.document, author, reason=request.reason, now=tx.now
    )
    made = await create(tx, case, amendment, reason=request.reason)
    await tx.records.update(report, reports.amended(report.content, str(made.record_id)), reason=request.reason)
    return ref_of(made)
