"""Calls to `referrals` and `formulation`."""

from collections.abc import Sequence
from typing import Any

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation_pb2
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals_pb2
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceStub
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.paging import all_versions, child_records


class PeerOwners:
    """The owners behind their gRPC doors; both offer the same two RPCs."""

    def __init__(self, referrals: Peer, formulation: Peer) -> None:
        self._doors: dict[str, tuple[Peer, Any, Any]] = {
            "referrals": (referrals, ReferralsServiceStub(referrals.channel), referrals_pb2),
            "formulation": (formulation, FormulationServiceStub(formulation.channel), formulation_pb2),
        }

    async def versions(self, service: str, record_id: str, after: int) -> Sequence[RecordVersion]:
        """See `ecm.monitoring.hearing.Owners`."""
        peer, stub, messages = self._doors[service]
        request = messages.ListRecordVersionsRequest(record_id=record_id, after=after)
        return await all_versions(peer, stub.ListRecordVersions, request)

    async def child_records(self, service: str, child_id: str) -> Sequence[RecordVersion]:
        """See `ecm.monitoring.hearing.Owners`."""
        peer, stub, messages = self._doors[service]
        request = messages.ListChildRecordsRequest(child_id=child_id)
        return [version async for version in child_records(peer, stub.ListChildRecords, request)]
