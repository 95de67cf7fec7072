"""Circulating a final report (checklist 171, 227)."""

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1.consent_service_pb2 import GATE_CIRCULATE
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Meeting, Report
from ecm.formulation.commands.cases import open_case
from ecm.formulation.model.circulation import circulated
from ecm.formulation.peers import Peers
from ecm.formulation.store import load, load_at, ref_of
from ecm.kit.db.uow import Tx


async def circulate_report(peers: Peers, tx: Tx, request: pb.CirculateReportRequest) -> RecordRef:
    """Sends the report to agencies that the meeting agreed, where consent and agreements let it."""
    report = await load_at(tx, request.report_id, Report, "report_id", request.expected_version)
    case = await open_case(peers, tx, str(report.case_id))
    meeting = await load(tx, report.content.meeting_id, Meeting, "report_id")
    agencies = list(request.agencies)
    sent = circulated(report.content, meeting.content, agencies, tx.region, by=tx.principal.id, now=tx.now)
    await peers.require(case.case_id, GATE_CIRCULATE, agencies)
    return ref_of(await tx.records.update(report, sent))
