"""`MonitoringService`: who calls what function. Policy and scope stand in policy.py and the kit."""

from typing import Any

from ecm.api.monitoring.v1 import monitoring_service_pb2 as pb
from ecm.api.monitoring.v1.monitoring_service_pb2_grpc import MonitoringServiceServicer
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import parse_uuid
from ecm.kit.rpc.commands import Commands
from ecm.monitoring import commands, reading
from ecm.monitoring.hearing import Hearing


class MonitoringServicer(MonitoringServiceServicer):
    """Each method reads: hear what may lack, run the command or read."""

    def __init__(self, uow: UnitOfWork, hearing: Hearing) -> None:
        self._uow = uow
        self._commands = Commands(uow)
        self._hearing = hearing

    async def MakePlan(self, request: pb.MakePlanRequest, context: Any) -> pb.MakePlanResponse:
        await self._hearing.know_case(request.case_id)
        return await self._commands.run(request, commands.make_plan, pb.MakePlanResponse)

    async def ChangePlan(self, request: pb.ChangePlanRequest, context: Any) -> pb.ChangePlanResponse:
        return await self._commands.run(request, commands.change_plan, pb.ChangePlanResponse)

    async def GetPlan(self, request: pb.GetPlanRequest, context: Any) -> pb.GetPlanResponse:
        await self._hearing.know_case(request.case_id)
        async with self._uow.read() as tx:
            plan = await reading.get_plan(tx, request.case_id)
        return pb.GetPlanResponse(ref=reading.ref_of(plan), plan=plan.content)

    async def RecordReview(self, request: pb.RecordReviewRequest, context: Any) -> pb.RecordReviewResponse:
        await self._hearing.know_case(request.case_id)
        await self._hearing.know_formulation(request.case_id)
        return await self._commands.run(request, commands.record_review, pb.RecordReviewResponse)

    async def ListReviews(self, request: pb.ListReviewsRequest, context: Any) -> pb.ListReviewsResponse:
        await self._hearing.know_case(request.case_id)
        async with self._uow.read() as tx:
            found = await reading.list_reviews(tx, request.case_id)
        listed = [pb.ListedReview(ref=reading.ref_of(record), review=record.content) for record in found]
        return pb.ListReviewsResponse(reviews=listed)

    async def RecordOutcome(self, request: pb.RecordOutcomeRequest, context: Any) -> pb.RecordOutcomeResponse:
        await self._hearing.know_case(request.case_id)
        return await self._commands.run(request, commands.record_outcome, pb.RecordOutcomeResponse)

    async def ListOutcomes(self, request: pb.ListOutcomesRequest, context: Any) -> pb.ListOutcomesResponse:
        await self._hearing.know_case(request.case_id)
        async with self._uow.read() as tx:
            found = await reading.list_outcomes(tx, request.case_id)
        listed = [pb.ListedOutcome(ref=reading.ref_of(record), outcome=record.content) for record in found]
        return pb.ListOutcomesResponse(outcomes=listed)

    async def EnterCaseload(self, request: pb.EnterCaseloadRequest, context: Any) -> pb.EnterCaseloadResponse:
        return await self._commands.run(request, commands.enter_caseload, pb.EnterCaseloadResponse)

    async def RecordSupervision(
        self, request: pb.RecordSupervisionRequest, context: Any
    ) -> pb.RecordSupervisionResponse:
        return await self._commands.run(request, commands.record_supervision, pb.RecordSupervisionResponse)

    async def ListDeadlines(self, request: pb.ListDeadlinesRequest, context: Any) -> pb.ListDeadlinesResponse:
        reading.check_asked(request)
        if request.case_id:
            await self._hearing.know_case(request.case_id)
        async with self._uow.read() as tx:
            return pb.ListDeadlinesResponse(deadlines=await reading.list_deadlines(tx, request))

    async def GetReturn(self, request: pb.GetReturnRequest, context: Any) -> pb.GetReturnResponse:
        async with self._uow.read() as tx:
            return await reading.get_return(tx, request)

    async def ListRecordVersions(
        self, request: pb.ListRecordVersionsRequest, context: Any
    ) -> pb.ListRecordVersionsResponse:
        record_id = parse_uuid(request.record_id, "record_id")
        async with self._uow.look() as tx:
            page = await tx.records.versions(record_id, request.after)
        return pb.ListRecordVersionsResponse(versions=page.versions, more=page.more)

    async def ListChildRecords(self, request: pb.ListChildRecordsRequest, context: Any) -> pb.ListChildRecordsResponse:
        child_id = parse_uuid(request.child_id, "child_id")
        async with self._uow.read() as tx:
            page = await tx.records.of_child(child_id, request.page_token)
        return pb.ListChildRecordsResponse(versions=page.versions, next_page_token=page.next_page_token)
