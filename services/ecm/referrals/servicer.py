"""`ReferralsService`: which method runs which command or read. Policy and scope stand in policy.py and the kit."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceServicer
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.narrowing import Narrowings
from ecm.kit.rpc.commands import Commands
from ecm.referrals import reading
from ecm.referrals.commands import children, family, referring, steps
from ecm.referrals.commands.narrowing import Narrower, Narrowing
from ecm.referrals.commands.narrowing_kinds import Closing, CorrectingBirth, NotViable, PanelRefusal, Protecting
from ecm.referrals.commands.replacing import Replacing, ReplacingAssessment, ReplacingForm

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


class ReferralsServicer(ReferralsServiceServicer):
    """One line per method, in the proto's order of commands, narrowings and reads."""

    def __init__(self, uow: UnitOfWork, narrower: Narrower, narrowings: Narrowings) -> None:
        self._uow = uow
        self._commands = Commands(uow)
        self._narrower = narrower
        self._narrowings = narrowings

    async def RegisterChild(self, request: pb.RegisterChildRequest, context: Any) -> pb.RegisterChildResponse:
        return await self._commands.run(request, children.register_child, pb.RegisterChildResponse)

    async def UpdateChild(self, request: pb.UpdateChildRequest, context: Any) -> pb.UpdateChildResponse:
        return await self._commands.run(request, children.update_child, pb.UpdateChildResponse)

    async def UnprotectDetail(self, request: pb.UnprotectDetailRequest, context: Any) -> pb.UnprotectDetailResponse:
        return await self._commands.run(request, children.unprotect_detail, pb.UnprotectDetailResponse)

    async def AddFamilyMember(self, request: pb.AddFamilyMemberRequest, context: Any) -> pb.AddFamilyMemberResponse:
        return await self._commands.run(request, family.add_family_member, pb.AddFamilyMemberResponse)

    async def UpdateFamilyMember(
        self, request: pb.UpdateFamilyMemberRequest, context: Any
    ) -> pb.UpdateFamilyMemberResponse:
        return await self._commands.run(request, family.update_family_member, pb.UpdateFamilyMemberResponse)

    async def OpenCase(self, request: pb.OpenCaseRequest, context: Any) -> pb.OpenCaseResponse:
        return await self._commands.run(request, referring.open_new_case, pb.OpenCaseResponse)

    async def SaveReferralForm(self, request: pb.SaveReferralFormRequest, context: Any) -> pb.SaveReferralFormResponse:
        return await self._run_or_replace(
            request, referring.save_referral_form, ReplacingForm(request), pb.SaveReferralFormResponse
        )

    async def AttachAssessment(self, request: pb.AttachAssessmentRequest, context: Any) -> pb.AttachAssessmentResponse:
        return await self._run_or_replace(
            request, referring.attach_assessment, ReplacingAssessment(request), pb.AttachAssessmentResponse
        )

    async def AssessEligibility(
        self, request: pb.AssessEligibilityRequest, context: Any
    ) -> pb.AssessEligibilityResponse:
        return await self._commands.run(request, referring.assess_eligibility, pb.AssessEligibilityResponse)

    async def AssessReadiness(self, request: pb.AssessReadinessRequest, context: Any) -> pb.AssessReadinessResponse:
        return await self._commands.run(request, steps.assess_readiness, pb.AssessReadinessResponse)

    async def DeferCase(self, request: pb.DeferCaseRequest, context: Any) -> pb.DeferCaseResponse:
        return await self._commands.run(request, steps.defer_case, pb.DeferCaseResponse)

    async def AgreeGoAhead(self, request: pb.AgreeGoAheadRequest, context: Any) -> pb.AgreeGoAheadResponse:
        return await self._commands.run(request, steps.agree_go_ahead, pb.AgreeGoAheadResponse)

    async def SendReferral(self, request: pb.SendReferralRequest, context: Any) -> pb.SendReferralResponse:
        return await self._commands.run(request, referring.send_referral, pb.SendReferralResponse)

    async def DiscussViability(self, request: pb.DiscussViabilityRequest, context: Any) -> pb.DiscussViabilityResponse:
        return await self._commands.run(request, steps.discuss_viability, pb.DiscussViabilityResponse)

    async def DecideViability(self, request: pb.DecideViabilityRequest, context: Any) -> pb.DecideViabilityResponse:
        if not request.viable:
            return await self._narrow(request, NotViable(request), pb.DecideViabilityResponse)
        return await self._commands.run(request, steps.decide_viability, pb.DecideViabilityResponse)

    async def DecidePanel(self, request: pb.DecidePanelRequest, context: Any) -> pb.DecidePanelResponse:
        if not request.approved:
            return await self._narrow(request, PanelRefusal(request), pb.DecidePanelResponse)
        return await self._commands.run(request, steps.decide_panel, pb.DecidePanelResponse)

    async def BeginIntervention(
        self, request: pb.BeginInterventionRequest, context: Any
    ) -> pb.BeginInterventionResponse:
        return await self._commands.run(request, steps.begin_intervention, pb.BeginInterventionResponse)

    async def WithdrawPsychology(
        self, request: pb.WithdrawPsychologyRequest, context: Any
    ) -> pb.WithdrawPsychologyResponse:
        return await self._commands.run(request, steps.withdraw_psychology, pb.WithdrawPsychologyResponse)

    async def ReopenCase(self, request: pb.ReopenCaseRequest, context: Any) -> pb.ReopenCaseResponse:
        return await self._commands.run(request, steps.reopen_case, pb.ReopenCaseResponse)

    async def AnswerChecklist(self, request: pb.AnswerChecklistRequest, context: Any) -> pb.AnswerChecklistResponse:
        return await self._commands.run(request, steps.answer_checklist, pb.AnswerChecklistResponse)

    async def ProtectDetail(self, request: pb.ProtectDetailRequest, context: Any) -> pb.ProtectDetailResponse:
        return await self._narrow(request, Protecting(request), pb.ProtectDetailResponse)

    async def CorrectDateOfBirth(
        self, request: pb.CorrectDateOfBirthRequest, context: Any
    ) -> pb.CorrectDateOfBirthResponse:
        return await self._narrow(request, CorrectingBirth(request), pb.CorrectDateOfBirthResponse)

    async def CloseCase(self, request: pb.CloseCaseRequest, context: Any) -> pb.CloseCaseResponse:
        return await self._narrow(request, Closing(request), pb.CloseCaseResponse)

    async def GetChild(self, request: pb.GetChildRequest, context: Any) -> pb.GetChildResponse:
        return await self._read(request, reading.read_child)

    async def FindChildren(self, request: pb.FindChildrenRequest, context: Any) -> pb.FindChildrenResponse:
        return await self._read(request, reading.search_children)

    async def ListFamilyMembers(
        self, request: pb.ListFamilyMembersRequest, context: Any
    ) -> pb.ListFamilyMembersResponse:
        return await self._read(request, reading.list_family)

    async def GetCase(self, request: pb.GetCaseRequest, context: Any) -> pb.GetCaseResponse:
        return await self._read(request, reading.read_case)

    async def ListCases(self, request: pb.ListCasesRequest, context: Any) -> pb.ListCasesResponse:
        return await self._read(request, reading.list_cases)

    async def GetReferralForm(self, request: pb.GetReferralFormRequest, context: Any) -> pb.GetReferralFormResponse:
        return await self._read(request, reading.read_form)

    async def ListRecordVersions(
        self, request: pb.ListRecordVersionsRequest, context: Any
    ) -> pb.ListRecordVersionsResponse:
        async with self._uow.look() as tx:
            return await reading.list_record_versions(tx, request)

    async def ListChildRecords(self, request: pb.ListChildRecordsRequest, context: Any) -> pb.ListChildRecordsResponse:
        return await self._read(request, reading.list_child_records)

    async def _narrow(self, request: Message, narrowing: Narrowing[Any], response_type: type[A]) -> A:
        check = partial(self._narrower.check, narrowing=narrowing)
        return await self._commands.run_narrowing(
            request, narrowing.kind, request, self._narrowings, response_type, check=check
        )

    async def _run_or_replace(
        self,
        request: Q,
        command: Callable[[Tx, Q], Awaitable[RecordRef]],
        replacing: Replacing[Any],
        response_type: type[A],
    ) -> A:
        return await self._commands.run_or_narrow(
            request,
            command,
            replacing.kind,
            self._narrowings,
            response_type,
            narrows=replacing.relabels,
            check=partial(self._narrower.check, narrowing=replacing),
        )

    async def _read(self, request: Q, read: Callable[[Tx, Q], Awaitable[A]]) -> A:
        async with self._uow.read() as tx:
            return await read(tx, request)
