"""Whose child it is: `referrals` keeps the register, of children whom the exchange doesn't hold yet, too."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ecm.api.common.v1.values_pb2 import Identifier
from ecm.api.referrals.v1.referrals_records_pb2 import Child
from ecm.api.referrals.v1.referrals_service_pb2 import FindChildrenRequest
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceStub
from ecm.exchange.mapping.child import identifiers
from ecm.exchange.mapping.codes import NHS_NUMBER
from ecm.exchange.projection.owners import FETCH_SECONDS, PeerOwners
from ecm.kit.rpc.channel import Peer

SERVICE = "referrals"


@dataclass(frozen=True, slots=True)
class Registered:
    """A child's file, as far as the accounting needs it: the YOT that keeps it, and (system, value) pairs."""

    child_id: UUID
    yot: str
    identifiers: tuple[tuple[str, str], ...] = ()


class Register(Protocol):
    """Where children are registered. Everything raises DomainError, PEER_UNREACHABLE among them."""

    async def child(self, child_id: UUID) -> Registered | None:
        """The file as it is now; None where there is none."""
        ...

    async def named(self, system: str, value: str) -> list[Registered]:
        """The files that have the identifier now, of every YOT; INVALID_VALUE for a system of no child's."""
        ...


@dataclass(frozen=True, slots=True)
class PeerRegister:
    """The register over gRPC. `base` is what local identifiers stand under."""

    peer: Peer
    base: str

    async def child(self, child_id: UUID) -> Registered | None:
        """See `Register`."""
        versions = await PeerOwners({SERVICE: self.peer}).versions(SERVICE, child_id, 0)
        content = Child()
        if not versions or not versions[-1].content.Unpack(content):
            return None
        yot = versions[-1].yot
        pairs = ((one["system"], one["value"]) for one in identifiers(content, self.base, yot))
        return Registered(child_id, yot, tuple(pairs))

    async def named(self, system: str, value: str) -> list[Registered]:
        """See `Register`. An NHS number is often written with blanks."""
        sought = Identifier(system=system, value="".join(value.split()) if system == NHS_NUMBER else value.strip())
        method = ReferralsServiceStub(self.peer.channel).FindChildren
        answer = await self.peer.call(method, FindChildrenRequest(identifier=sought), timeout=FETCH_SECONDS)
        found = [await self.child(UUID(ref.record_id)) for ref in answer.refs]
        return [one for one in found if one is not None]
