"""The other services, as `consent` calls them."""

from collections.abc import Sequence
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.exchange.v1 import exchange_service_pb2 as exchange
from ecm.api.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceStub
from ecm.consent.enforcement import Request, Response
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.paging import all_versions


class Owners:
    """Fetches versions of records from `referrals` and `formulation`."""

    def __init__(self, referrals_peer: Peer, formulation_peer: Peer) -> None:
        self._referrals = referrals_peer
        self._formulation = formulation_peer
        self._referrals_stub = ReferralsServiceStub(referrals_peer.channel)
        self._formulation_stub = FormulationServiceStub(formulation_peer.channel)

    async def fetch(self, owner: str, record_id: UUID, after: int) -> Sequence[RecordVersion]:
        """The record's versions above `after`, in order; DomainError of the peer."""
        if owner == "referrals":
            asked = referrals.ListRecordVersionsRequest(record_id=str(record_id), after=after)
            return await all_versions(self._referrals, self._referrals_stub.ListRecordVersions, asked)
        told = formulation.ListRecordVersionsRequest(record_id=str(record_id), after=after)
        return await all_versions(self._formulation, self._formulation_stub.ListRecordVersions, told)


class ExchangePeer:
    """Sends sets to the exchange."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = ExchangeServiceStub(peer.channel)

    async def apply(self, request: Request, seconds: float) -> Response:
        """Commits the set there; DomainError where it can't be reached in time."""
        if isinstance(request, exchange.ApplyRegionRequest):
            return await self._peer.call(self._stub.ApplyRegion, request, timeout=seconds)
        return await self._peer.call(self._stub.ApplyGrants, request, timeout=seconds)
