"""`ConsentService` over gRPC: each RPC is one command or one query."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceServicer
from ecm.consent import queries
from ecm.consent.commands import agreements, consents, overrides
from ecm.consent.commands.narrow import narrow
from ecm.consent.enforcement import Enforcement
from ecm.consent.learning import Learning
from ecm.consent.lease import Lease
from ecm.consent.store import facts, narrowings, sets
from ecm.kit.auth.principal import PrincipalKind
from ecm.kit.auth.roles import ADMINISTRATOR, DATA_PROTECTION_OFFICER
from ecm.kit.call import current_call
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.kit.rpc.commands import Commands

# Kept of the caller's deadline, to answer ENFORCING in time.
MARGIN_SECONDS = 0.3

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
N = TypeVar(
    "N",
    service.RefuseConsentResponse,
    service.WithdrawResponse,
    service.ApproveAgreementResponse,
    service.EndAgreementResponse,
    service.BlockClientResponse,
    service.EndOverrideResponse,
)


class ConsentServicer(ConsentServiceServicer):
    """Commands are run once per idempotency key; what widened is pushed afterwards, what narrowed before the answer."""

    def __init__(self, uow: UnitOfWork, learning: Learning, enforcement: Enforcement, lease: Lease) -> None:
        self._uow = uow
        self._commands = Commands(uow)
        self._learning = learning
        self._enforcement = enforcement
        self._lease = lease

    async def SeekConsent(self, request: service.SeekConsentRequest, context: Any) -> service.SeekConsentResponse:
        return await self._widen(request, partial(consents.seek, self._learning), service.SeekConsentResponse)

    async def GiveConsent(self, request: service.GiveConsentRequest, context: Any) -> service.GiveConsentResponse:
        return await self._widen(request, partial(consents.give, self._learning), service.GiveConsentResponse)

    async def RefuseConsent(self, request: service.RefuseConsentRequest, context: Any) -> service.RefuseConsentResponse:
        run = partial(consents.refuse, self._learning)
        return await self._enforced(await self._commands.run(request, run, service.RefuseConsentResponse))

    async def Withdraw(self, request: service.WithdrawRequest, context: Any) -> service.WithdrawResponse:
        run = partial(consents.withdraw, self._learning)
        return await self._enforced(await self._commands.run(request, run, service.WithdrawResponse))

    async def GetEnforcement(
        self, request: service.GetEnforcementRequest, context: Any
    ) -> service.GetEnforcementResponse:
        async with self._uow.read() as tx:
            narrowing = await narrowings.get(tx.conn, parse_uuid(request.narrowing_id, "narrowing_id"))
            await _check_scope(tx, narrowing.subject)
        return service.GetEnforcementResponse(enforcement=await self._enforcement.answer(narrowing))

    async def ListConsents(self, request: service.ListConsentsRequest, context: Any) -> service.ListConsentsResponse:
        return await self._look(request, queries.list_consents)

    async def CheckGate(self, request: service.CheckGateRequest, context: Any) -> service.CheckGateResponse:
        return await self._look(request, queries.check_gate)

    async def Narrow(self, request: service.NarrowRequest, context: Any) -> service.NarrowResponse:
        async with self._uow.begin() as tx:
            narrowing_id = await narrow(tx, request)
        return service.NarrowResponse(enforcement=await self._enforcement.recorded(narrowing_id))

    async def ProposeAgreement(
        self, request: service.ProposeAgreementRequest, context: Any
    ) -> service.ProposeAgreementResponse:
        return await self._widen(request, agreements.propose, service.ProposeAgreementResponse)

    async def ApproveAgreement(
        self, request: service.ApproveAgreementRequest, context: Any
    ) -> service.ApproveAgreementResponse:
        run = agreements.approve
        return await self._enforced(await self._commands.run(request, run, service.ApproveAgreementResponse))

    async def EndAgreement(self, request: service.EndAgreementRequest, context: Any) -> service.EndAgreementResponse:
        return await self._enforced(await self._commands.run(request, agreements.end, service.EndAgreementResponse))

    async def ListAgreements(
        self, request: service.ListAgreementsRequest, context: Any
    ) -> service.ListAgreementsResponse:
        async with self._uow.read() as tx:
            return await queries.list_agreements(tx, request)

    async def BlockClient(self, request: service.BlockClientRequest, context: Any) -> service.BlockClientResponse:
        run = agreements.block_client
        return await self._enforced(await self._commands.run(request, run, service.BlockClientResponse))

    async def OpenOverride(self, request: service.OpenOverrideRequest, context: Any) -> service.OpenOverrideResponse:
        run = partial(overrides.open_override, self._learning)
        return await self._widen(request, run, service.OpenOverrideResponse)

    async def RenewOverride(self, request: service.RenewOverrideRequest, context: Any) -> service.RenewOverrideResponse:
        return await self._widen(request, overrides.renew, service.RenewOverrideResponse)

    async def ReviewOverride(
        self, request: service.ReviewOverrideRequest, context: Any
    ) -> service.ReviewOverrideResponse:
        return await self._widen(request, overrides.review, service.ReviewOverrideResponse)

    async def EndOverride(self, request: service.EndOverrideRequest, context: Any) -> service.EndOverrideResponse:
        return await self._enforced(await self._commands.run(request, overrides.end, service.EndOverrideResponse))

    async def ExplainGrants(self, request: service.ExplainGrantsRequest, context: Any) -> service.ExplainGrantsResponse:
        return await self._look(request, queries.explain)

    async def RenewLease(self, request: service.RenewLeaseRequest, context: Any) -> service.RenewLeaseResponse:
        return await self._lease.renew(request)

    async def ListRecordVersions(
        self, request: service.ListRecordVersionsRequest, context: Any
    ) -> service.ListRecordVersionsResponse:
        async with self._uow.look() as tx:
            page = await tx.records.versions(parse_uuid(request.record_id, "record_id"), request.after)
        return service.ListRecordVersionsResponse(versions=page.versions, more=page.more)

    async def ListChildRecords(
        self, request: service.ListChildRecordsRequest, context: Any
    ) -> service.ListChildRecordsResponse:
        async with self._uow.read() as tx:
            page = await tx.records.of_child(parse_uuid(request.child_id, "child_id"), request.page_token)
        return service.ListChildRecordsResponse(versions=page.versions, next_page_token=page.next_page_token)

    async def _widen(self, request: Q, run: Callable[[Tx, Q], Awaitable[Any]], response_type: type[A]) -> A:
        response = await self._commands.run(request, run, response_type)
        self._enforcement.wake()
        return response

    async def _enforced(self, response: N) -> N:
        """What narrowed is enforced before the answer, as far as the caller's deadline goes; a replay looks again."""
        self._enforcement.wake()
        if response.HasField("enforcement"):
            narrowing_id = UUID(response.enforcement.narrowing_id)
            seconds = max(current_call().remaining() - MARGIN_SECONDS, 0.0)
            response.enforcement.CopyFrom(await self._enforcement.settle(narrowing_id, seconds))
        return response

    async def _look(self, request: Q, query: Callable[[Learning, Tx, Q], Awaitable[A]]) -> A:
        # Not a read-only transaction: a case that wasn't heard of yet is asked for, and kept.
        async with self._uow.begin() as tx:
            return await query(self._learning, tx, request)


async def _check_scope(tx: Tx, subject: UUID) -> None:
    """A child's narrowing is seen in its YOT; the region's by who governs it, and by services."""
    principal = tx.principal
    if principal.kind is PrincipalKind.SERVICE:
        return
    if subject == sets.REGION:
        admitted = bool(principal.yots(frozenset({ADMINISTRATOR, DATA_PROTECTION_OFFICER})))
    else:
        child = await facts.find(tx, subject)
        admitted = child is not None and tx.scope.admits(child.yot)
    if not admitted:
        raise DomainError(Reason.NOT_FOUND, "There is no narrowing with this id.")
