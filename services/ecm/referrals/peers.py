"""Calls to `consent` and `formulation`."""

from collections.abc import Sequence

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.consent.v1 import consent_service_pb2 as consent_pb2
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation_pb2
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.paging import all_versions, child_records


class ConsentPeer:
    """`consent` behind its gRPC door."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = ConsentServiceStub(peer.channel)

    async def narrow(self, request: consent_pb2.NarrowRequest) -> None:
        """See `ecm.referrals.commands.narrowing.Consent`."""
        await self._peer.call(self._stub.Narrow, request, idempotency_key=request.intent_id)

    async def child_records(self, child_id: str) -> Sequence[RecordVersion]:
        """The newest version of each record that `consent` keeps of the child."""
        request = consent_pb2.ListChildRecordsRequest(child_id=child_id)
        return [version async for version in child_records(self._peer, self._stub.ListChildRecords, request)]


class FormulationPeer:
    """`formulation` behind its gRPC door."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = FormulationServiceStub(peer.channel)

    async def versions(self, record_id: str, after: int) -> Sequence[RecordVersion]:
        """The versions of a record above `after`, in order."""
        request = formulation_pb2.ListRecordVersionsRequest(record_id=record_id, after=after)
        return await all_versions(self._peer, self._stub.ListRecordVersions, request)
