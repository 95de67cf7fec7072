"""Calls to `referrals` and `consent`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ecm.api.common.v1.record_pb2 import CHANGE_CLOSED, RecordVersion
from ecm.api.consent.v1 import consent_service_pb2 as consent_pb2
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals_pb2
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceStub
from ecm.formulation.model.cases import KnownCase
from ecm.formulation.model.values import not_found
from ecm.kit.errors import DomainError, Reason
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.paging import all_versions, child_records

_FAMILY = frozenset({"CHILD", "FAMILY_MEMBER"})


@dataclass(frozen=True, slots=True)
class FamilyFile:
    """The child's file and its family members by record id, as `referrals` has them now."""

    child: referrals.Child
    members: dict[str, referrals.FamilyMember]


class Peers(Protocol):
    """What `formulation` asks of others."""

    async def case(self, case_id: UUID, after: int = 0) -> KnownCase | None:
        """The case, where it has a version above `after`. NOT_FOUND, PEER_UNREACHABLE."""
        ...

    async def family(self, child_id: UUID) -> FamilyFile:
        """The child's file and family. NOT_FOUND, PEER_UNREACHABLE."""
        ...

    async def require(self, case_id: UUID, gate: "consent_pb2.Gate.ValueType", agencies: Sequence[str] = ()) -> None:
        """Returns where the gate is open. CONSENT_REQUIRED, with why; CONSENT_UNREACHABLE where it can't be asked."""
        ...

    async def narrow(self, intent_id: UUID, child_id: UUID, record_id: UUID, agency: str) -> None:
        """Returns once `consent` has recorded that the record (or the agency's grant on it) ends. Idempotent."""
        ...


class GrpcPeers:
    """Both behind their gRPC doors, called in this service's own name."""

    def __init__(self, referrals_peer: Peer, consent_peer: Peer) -> None:
        self._referrals = referrals_peer
        self._consent = consent_peer
        self._files = ReferralsServiceStub(referrals_peer.channel)
        self._gates = ConsentServiceStub(consent_peer.channel)

    async def case(self, case_id: UUID, after: int = 0) -> KnownCase | None:
        """See `Peers`."""
        request = referrals_pb2.ListRecordVersionsRequest(record_id=str(case_id), after=after)
        try:
            versions = await all_versions(self._referrals, self._files.ListRecordVersions, request)
        except DomainError as error:
            # In our own words, which are those for another YOT's case.
            raise not_found("case") if error.reason is Reason.NOT_FOUND else error from error
        if versions:
            return _case(versions[-1])
        if not after:
            raise not_found("case")
        return None

    async def family(self, child_id: UUID) -> FamilyFile:
        """See `Peers`."""
        request = referrals_pb2.ListChildRecordsRequest(child_id=str(child_id))
        found = child_records(self._referrals, self._files.ListChildRecords, request)
        standing = [version async for version in found if version.change != CHANGE_CLOSED and version.kind in _FAMILY]
        children = [_child(version) for version in standing if version.kind == "CHILD"]
        if not children:
            raise not_found("child")
        members = {version.record_id: _member(version) for version in standing if version.kind == "FAMILY_MEMBER"}
        return FamilyFile(children[0], members)

    async def require(self, case_id: UUID, gate: "consent_pb2.Gate.ValueType", agencies: Sequence[str] = ()) -> None:
        """See `Peers`."""
        request = consent_pb2.CheckGateRequest(case_id=str(case_id), gate=gate, agencies=agencies)
        try:
            answer = await self._consent.call(self._gates.CheckGate, request)
        except DomainError as error:
            raise _unasked(error) from error
        if not answer.open:
            raise DomainError(Reason.CONSENT_REQUIRED, answer.reason or "Consent isn't given.")

    async def narrow(self, intent_id: UUID, child_id: UUID, record_id: UUID, agency: str) -> None:
        """See `Peers`."""
        record = consent_pb2.RecordNarrowing(record_id=str(record_id), agency=agency)
        request = consent_pb2.NarrowRequest(intent_id=str(intent_id), child_id=str(child_id), record=record)
        await self._consent.call(self._gates.Narrow, request)


def _unasked(error: DomainError) -> DomainError:
    """A gate that nobody answered is closed, for now."""
    if error.reason is Reason.NOT_FOUND:
        return DomainError(Reason.CONSENT_REQUIRED, "Consent isn't given: nothing is known of the case there.")
    if error.retryable:
        return DomainError(Reason.CONSENT_UNREACHABLE, "Consent can't be asked now; nothing was done, try again.")
    return error


def _case(version: RecordVersion) -> KnownCase:
    if version.kind != "CASE":
        raise not_found("case")
    content = referrals.Case()
    version.content.Unpack(content)
    return KnownCase(
        case_id=UUID(version.record_id),
        child_id=UUID(version.child_id),
        yot=version.yot,
        state=content.state,
        erased=version.change == CHANGE_CLOSED,
        version=version.version,
    )


def _child(version: RecordVersion) -> referrals.Child:
    child = referrals.Child()
    version.content.Unpack(child)
    return child


def _member(version: RecordVersion) -> referrals.FamilyMember:
    member = referrals.FamilyMember()
    version.content.Unpack(member)
    return member
