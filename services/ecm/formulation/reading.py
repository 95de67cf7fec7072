"""What YOT roles read back."""

from uuid import UUID

from google.protobuf.message import Message

from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import (
    ChildVoice,
    Contribution,
    DevelopmentalMap,
    Genogram,
    Invitation,
    Meeting,
    Recommendations,
    RecoveryStage,
    Report,
    ReportDraft,
    Timeline,
)
from ecm.formulation.commands.timeline import entries_of
from ecm.formulation.model.values import not_found
from ecm.formulation.store import M, load, of_case, ref_of
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.ids import parse_uuid


async def get_meeting(tx: Tx, request: pb.GetMeetingRequest) -> pb.GetMeetingResponse:
    """A meeting with its standing invitations."""
    meeting = await load(tx, request.meeting_id, Meeting, "meeting_id")
    meeting_id = str(meeting.record_id)
    invited = await of_case(tx, meeting.case_id, Invitation, lambda found: found.meeting_id == meeting_id)
    return pb.GetMeetingResponse(
        ref=ref_of(meeting),
        meeting=meeting.content,
        case_id=str(meeting.case_id),
        child_id=str(meeting.child_id),
        invitations=[pb.ListedInvitation(ref=ref_of(found), invitation=found.content) for found in invited],
    )


async def list_meetings(tx: Tx, request: pb.ListMeetingsRequest) -> pb.ListMeetingsResponse:
    """The meetings of a case, cancelled ones too."""
    found = await of_case(tx, parse_uuid(request.case_id, "case_id"), Meeting)
    return pb.ListMeetingsResponse(refs=[ref_of(meeting) for meeting in found])


async def list_contributions(tx: Tx, request: pb.ListContributionsRequest) -> pb.ListContributionsResponse:
    """What was contributed to a meeting."""
    meeting = await load(tx, request.meeting_id, Meeting, "meeting_id")
    meeting_id = str(meeting.record_id)
    found = await of_case(tx, meeting.case_id, Contribution, lambda each: each.meeting_id == meeting_id)
    listed = [pb.ListedContribution(ref=ref_of(each), contribution=each.content) for each in found]
    return pb.ListContributionsResponse(contributions=listed)


async def get_genogram(tx: Tx, request: pb.GetGenogramRequest) -> pb.GetGenogramResponse:
    """The family tree. NOT_FOUND before it is drawn."""
    genogram = await _only(tx, parse_uuid(request.case_id, "case_id"), Genogram)
    return pb.GetGenogramResponse(ref=ref_of(genogram), genogram=genogram.content)


async def list_timeline(tx: Tx, request: pb.ListTimelineRequest) -> pb.ListTimelineResponse:
    """The entries, earliest first."""
    found = await entries_of(tx, parse_uuid(request.case_id, "case_id"))
    listed = [pb.ListedTimelineEntry(ref=ref_of(each), entry=each.content) for each in found]
    return pb.ListTimelineResponse(entries=listed)


async def get_timeline(tx: Tx, request: pb.GetTimelineRequest) -> pb.GetTimelineResponse:
    """The drawing. NOT_FOUND before it is drawn, and after a retraction until it is drawn again."""
    timeline = await _only(tx, parse_uuid(request.case_id, "case_id"), Timeline)
    return pb.GetTimelineResponse(ref=ref_of(timeline), timeline=timeline.content)


async def get_report_draft(tx: Tx, request: pb.GetReportDraftRequest) -> pb.GetReportDraftResponse:
    """A draft, with its checks."""
    draft = await load(tx, request.draft_id, ReportDraft, "draft_id")
    return pb.GetReportDraftResponse(ref=ref_of(draft), draft=draft.content)


async def get_report(tx: Tx, request: pb.GetReportRequest) -> pb.GetReportResponse:
    """A final report."""
    report = await load(tx, request.report_id, Report, "report_id")
    return pb.GetReportResponse(ref=ref_of(report), report=report.content)


async def get_formulation(tx: Tx, request: pb.GetFormulationRequest) -> pb.GetFormulationResponse:
    """What the meeting led to; the documents are read one by one."""
    case_id = parse_uuid(request.case_id, "case_id")
    maps = await of_case(tx, case_id, DevelopmentalMap)
    stages = await of_case(tx, case_id, RecoveryStage)
    agreed = await of_case(tx, case_id, Recommendations)
    drafts = await of_case(tx, case_id, ReportDraft)
    reports = await of_case(tx, case_id, Report)
    voices = await of_case(tx, case_id, ChildVoice)
    for document in [*(draft.content.document for draft in drafts), *(report.content.document for report in reports)]:
        document.ClearField("content")
    return pb.GetFormulationResponse(
        developmental_maps=[pb.ListedDevelopmentalMap(ref=ref_of(each), map=each.content) for each in maps],
        recovery_stages=[pb.ListedRecoveryStage(ref=ref_of(each), stage=each.content) for each in stages],
        recommendations=[pb.ListedRecommendations(ref=ref_of(each), recommendations=each.content) for each in agreed],
        drafts=[pb.ListedReportDraft(ref=ref_of(each), draft=each.content) for each in drafts],
        reports=[pb.ListedReport(ref=ref_of(each), report=each.content) for each in reports],
        voices=[pb.ListedChildVoice(ref=ref_of(each), voice=each.content) for each in voices],
    )


async def list_record_versions(tx: Tx, request: pb.ListRecordVersionsRequest) -> pb.ListRecordVersionsResponse:
    """Versions of one record, in order."""
    page = await tx.records.versions(parse_uuid(request.record_id, "record_id"), request.after)
    return pb.ListRecordVersionsResponse(versions=page.versions, more=page.more)


async def list_child_records(tx: Tx, request: pb.ListChildRecordsRequest) -> pb.ListChildRecordsResponse:
    """The newest version of each record of a child."""
    page = await tx.records.of_child(parse_uuid(request.child_id, "child_id"), request.page_token)
    return pb.ListChildRecordsResponse(versions=page.versions, next_page_token=page.next_page_token)


async def _only(tx: Tx, case_id: UUID, content: type[M]) -> Record[M]:
    found = await of_case(tx, case_id, content)
    if not found:
        raise not_found(_name(content))
    return found[-1]


def _name(content: type[Message]) -> str:
    return str(content.DESCRIPTOR.name).lower()
