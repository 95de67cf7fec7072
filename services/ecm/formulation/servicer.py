"""`FormulationService`: who calls what function. Policy and scope stand in policy.py and the kit."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid5

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceServicer
from ecm.formulation import reading
from ecm.formulation.commands import (
    circulation,
    clinical,
    family,
    invitations,
    meetings,
    narrowing,
    reports,
    timeline,
)
from ecm.formulation.commands.drawings import StricterDrawingError
from ecm.formulation.peers import Peers
from ecm.kit.call import current_call
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.narrowing import Narrowings
from ecm.kit.rpc.commands import Commands

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


class FormulationServicer(FormulationServiceServicer):
    """Each method runs its command, its narrowing or its read."""

    def __init__(self, uow: UnitOfWork, peers: Peers, narrowings: Narrowings) -> None:
        self._uow = uow
        self._peers = peers
        self._narrowings = narrowings
        self._commands = Commands(uow)

    async def ScheduleMeeting(self, request: pb.ScheduleMeetingRequest, context: Any) -> pb.ScheduleMeetingResponse:
        return await self._run(meetings.schedule_meeting, request, pb.ScheduleMeetingResponse)

    async def RescheduleMeeting(
        self, request: pb.RescheduleMeetingRequest, context: Any
    ) -> pb.RescheduleMeetingResponse:
        return await self._run(meetings.reschedule_meeting, request, pb.RescheduleMeetingResponse)

    async def CancelMeeting(self, request: pb.CancelMeetingRequest, context: Any) -> pb.CancelMeetingResponse:
        return await self._narrow(narrowing.CANCEL_MEETING, request, pb.CancelMeetingResponse)

    async def GetMeeting(self, request: pb.GetMeetingRequest, context: Any) -> pb.GetMeetingResponse:
        return await self._read(reading.get_meeting, request)

    async def ListMeetings(self, request: pb.ListMeetingsRequest, context: Any) -> pb.ListMeetingsResponse:
        return await self._read(reading.list_meetings, request)

    async def InviteAgency(self, request: pb.InviteAgencyRequest, context: Any) -> pb.InviteAgencyResponse:
        return await self._run(invitations.invite_agency, request, pb.InviteAgencyResponse)

    async def CancelInvitation(self, request: pb.CancelInvitationRequest, context: Any) -> pb.CancelInvitationResponse:
        return await self._narrow(narrowing.CANCEL_INVITATION, request, pb.CancelInvitationResponse)

    async def AnswerInvitation(self, request: pb.AnswerInvitationRequest, context: Any) -> pb.AnswerInvitationResponse:
        return await self._commands.run(request, invitations.answer_invitation, pb.AnswerInvitationResponse)

    async def ContributeInformation(
        self, request: pb.ContributeInformationRequest, context: Any
    ) -> pb.ContributeInformationResponse:
        return await self._run(invitations.contribute_information, request, pb.ContributeInformationResponse)

    async def ListContributions(
        self, request: pb.ListContributionsRequest, context: Any
    ) -> pb.ListContributionsResponse:
        return await self._read(reading.list_contributions, request)

    async def DrawGenogram(self, request: pb.DrawGenogramRequest, context: Any) -> pb.DrawGenogramResponse:
        return await self._draw(family.draw_genogram, narrowing.RETIRE_GENOGRAM, request, pb.DrawGenogramResponse)

    async def GetGenogram(self, request: pb.GetGenogramRequest, context: Any) -> pb.GetGenogramResponse:
        return await self._read(reading.get_genogram, request)

    async def RecordChildVoice(self, request: pb.RecordChildVoiceRequest, context: Any) -> pb.RecordChildVoiceResponse:
        return await self._run(family.record_child_voice, request, pb.RecordChildVoiceResponse)

    async def AddTimelineEntry(self, request: pb.AddTimelineEntryRequest, context: Any) -> pb.AddTimelineEntryResponse:
        return await self._run(timeline.add_timeline_entry, request, pb.AddTimelineEntryResponse)

    async def UpdateTimelineEntry(
        self, request: pb.UpdateTimelineEntryRequest, context: Any
    ) -> pb.UpdateTimelineEntryResponse:
        return await self._commands.run_or_narrow(
            request,
            partial(timeline.update_timeline_entry, self._peers),
            narrowing.REPLACE_TIMELINE_ENTRY,
            self._narrowings,
            pb.UpdateTimelineEntryResponse,
            narrows=partial(timeline.makes_stricter, request=request),
            check=self._check(narrowing.REPLACE_TIMELINE_ENTRY, request),
        )

    async def RetractTimelineEntry(
        self, request: pb.RetractTimelineEntryRequest, context: Any
    ) -> pb.RetractTimelineEntryResponse:
        return await self._narrow(narrowing.RETRACT_TIMELINE_ENTRY, request, pb.RetractTimelineEntryResponse)

    async def ListTimeline(self, request: pb.ListTimelineRequest, context: Any) -> pb.ListTimelineResponse:
        return await self._read(reading.list_timeline, request)

    async def DrawTimeline(self, request: pb.DrawTimelineRequest, context: Any) -> pb.DrawTimelineResponse:
        return await self._draw(timeline.draw_timeline, narrowing.RETIRE_TIMELINE, request, pb.DrawTimelineResponse)

    async def GetTimeline(self, request: pb.GetTimelineRequest, context: Any) -> pb.GetTimelineResponse:
        return await self._read(reading.get_timeline, request)

    async def HoldMeeting(self, request: pb.HoldMeetingRequest, context: Any) -> pb.HoldMeetingResponse:
        return await self._run(meetings.hold_meeting, request, pb.HoldMeetingResponse)

    async def RecordDevelopmentalMap(
        self, request: pb.RecordDevelopmentalMapRequest, context: Any
    ) -> pb.RecordDevelopmentalMapResponse:
        return await self._run(clinical.record_developmental_map, request, pb.RecordDevelopmentalMapResponse)

    async def PlaceOnRecoveryModel(
        self, request: pb.PlaceOnRecoveryModelRequest, context: Any
    ) -> pb.PlaceOnRecoveryModelResponse:
        return await self._run(clinical.place_on_recovery_model, request, pb.PlaceOnRecoveryModelResponse)

    async def RecordRecommendations(
        self, request: pb.RecordRecommendationsRequest, context: Any
    ) -> pb.RecordRecommendationsResponse:
        return await self._run(clinical.record_recommendations, request, pb.RecordRecommendationsResponse)

    async def DraftReport(self, request: pb.DraftReportRequest, context: Any) -> pb.DraftReportResponse:
        return await self._run(reports.draft_report, request, pb.DraftReportResponse)

    async def GetReportDraft(self, request: pb.GetReportDraftRequest, context: Any) -> pb.GetReportDraftResponse:
        return await self._read(reading.get_report_draft, request)

    async def CheckReport(self, request: pb.CheckReportRequest, context: Any) -> pb.CheckReportResponse:
        return await self._run(reports.check_report, request, pb.CheckReportResponse)

    async def FinaliseReport(self, request: pb.FinaliseReportRequest, context: Any) -> pb.FinaliseReportResponse:
        return await self._run(reports.finalise_report, request, pb.FinaliseReportResponse)

    async def AmendReport(self, request: pb.AmendReportRequest, context: Any) -> pb.AmendReportResponse:
        return await self._run(reports.amend_report, request, pb.AmendReportResponse)

    async def GetReport(self, request: pb.GetReportRequest, context: Any) -> pb.GetReportResponse:
        return await self._read(reading.get_report, request)

    async def CirculateReport(self, request: pb.CirculateReportRequest, context: Any) -> pb.CirculateReportResponse:
        return await self._run(circulation.circulate_report, request, pb.CirculateReportResponse)

    async def EndCirculation(self, request: pb.EndCirculationRequest, context: Any) -> pb.EndCirculationResponse:
        return await self._narrow(narrowing.END_CIRCULATION, request, pb.EndCirculationResponse)

    async def GetFormulation(self, request: pb.GetFormulationRequest, context: Any) -> pb.GetFormulationResponse:
        return await self._read(reading.get_formulation, request)

    async def ListRecordVersions(
        self, request: pb.ListRecordVersionsRequest, context: Any
    ) -> pb.ListRecordVersionsResponse:
        async with self._uow.look() as tx:
            return await reading.list_record_versions(tx, request)

    async def ListChildRecords(self, request: pb.ListChildRecordsRequest, context: Any) -> pb.ListChildRecordsResponse:
        return await self._read(reading.list_child_records, request)

    async def _run(self, command: Callable[[Peers, Tx, Q], Awaitable[RecordRef]], request: Q, response: type[A]) -> A:
        return await self._commands.run(request, partial(command, self._peers), response)

    async def _read(self, read: Callable[[Tx, Q], Awaitable[A]], request: Q) -> A:
        async with self._uow.read() as tx:
            return await read(tx, request)

    async def _narrow(self, kind: str, request: Message, response: type[A]) -> A:
        check = self._check(kind, request)
        return await self._commands.run_narrowing(request, kind, request, self._narrowings, response, check=check)

    async def _draw(
        self, command: Callable[[Peers, Tx, Q], Awaitable[RecordRef]], retire: str, request: Q, response: type[A]
    ) -> A:
        """Draws; where that makes the drawing stricter, once more, after the standing one was withheld and closed."""
        try:
            return await self._run(command, request, response)
        except StricterDrawingError as found:
            old, principal = found.standing, current_call().principal
            intent_id = uuid5(UUID(old.record_id), f"{retire}/{old.version}")
            await self._narrowings.run(retire, old, intent_id=intent_id, principal=principal)
            return await self._run(command, request, response)

    def _check(self, kind: str, request: Message) -> Callable[[Tx], Awaitable[None]]:
        async def check(tx: Tx) -> None:
            await narrowing.NARROWINGS[kind].check(self._peers, tx, request)

        return check
