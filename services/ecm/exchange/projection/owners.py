"""The services that own records, as the projection asks them: one RPC shape for all."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import grpc

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.consent.v1 import consent_service_pb2, consent_service_pb2_grpc
from ecm.api.formulation.v1 import formulation_service_pb2, formulation_service_pb2_grpc
from ecm.api.monitoring.v1 import monitoring_service_pb2, monitoring_service_pb2_grpc
from ecm.api.referrals.v1 import referrals_service_pb2, referrals_service_pb2_grpc
from ecm.kit.errors import DomainError, Reason
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.paging import all_versions, child_records

# An owner that is out of reach for so long counts as failed.
FETCH_SECONDS: Final = 5.0

OWNERS: Final = ("referrals", "consent", "formulation", "monitoring")

Stub = Callable[[grpc.aio.Channel], Any]
_STUBS: Final[dict[str, tuple[Stub, Any]]] = {
    "referrals": (referrals_service_pb2_grpc.ReferralsServiceStub, referrals_service_pb2),
    "consent": (consent_service_pb2_grpc.ConsentServiceStub, consent_service_pb2),
    "formulation": (formulation_service_pb2_grpc.FormulationServiceStub, formulation_service_pb2),
    "monitoring": (monitoring_service_pb2_grpc.MonitoringServiceStub, monitoring_service_pb2),
}


class Owners(Protocol):
    """Where records come from."""

    async def versions(self, service: str, record_id: UUID, after: int) -> Sequence[RecordVersion]:
        """The record's versions above `after`, in order; none where the owner has no such record."""
        ...

    def of_child(self, service: str, child_id: UUID) -> AsyncIterator[RecordVersion]:
        """The newest version of each of the child's records there, oldest record first."""
        ...


@dataclass(frozen=True, slots=True)
class PeerOwners:
    """The owners over gRPC, page by page. Every page raises DomainError, PEER_UNREACHABLE among them, within 5 s."""

    peers: Mapping[str, Peer]

    async def versions(self, service: str, record_id: UUID, after: int) -> Sequence[RecordVersion]:
        make_stub, wire = _STUBS[service]
        peer = self.peers[service]
        request = wire.ListRecordVersionsRequest(record_id=str(record_id), after=after)
        try:
            return await all_versions(peer, make_stub(peer.channel).ListRecordVersions, request, timeout=FETCH_SECONDS)
        except DomainError as error:
            if error.reason is Reason.NOT_FOUND:
                return []
            raise

    def of_child(self, service: str, child_id: UUID) -> AsyncIterator[RecordVersion]:
        make_stub, wire = _STUBS[service]
        peer = self.peers[service]
        request = wire.ListChildRecordsRequest(child_id=str(child_id))
        return child_records(peer, make_stub(peer.channel).ListChildRecords, request, timeout=FETCH_SECONDS)
