"""The exchange's lease: refused while it may still hold what a narrowing took away."""

from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.consent.v1.consent_service_pb2 import RenewLeaseRequest, RenewLeaseResponse
from ecm.consent.enforcement import Enforcement
from ecm.consent.store import incarnations, sets
from ecm.consent.store.connections import transaction
from ecm.kit.errors import DomainError, Reason


class Lease:
    """Answers renewals."""

    def __init__(self, engine: AsyncEngine, enforcement: Enforcement, seconds: float) -> None:
        self._engine = engine
        self._enforcement = enforcement
        self._seconds = seconds

    async def renew(self, request: RenewLeaseRequest) -> RenewLeaseResponse:
        """Seconds from before the request; LEASE_REFUSED, and what lacks is sent at once.

        Refused where another database answered last, before it has the region's set, while a narrowing is
        unacknowledged by that incarnation (a restored database has acknowledged nothing), while its highest version
        is below one acknowledged, or above all that we ever drew.
        """
        if not request.incarnation:
            raise DomainError(Reason.MISSING_VALUE, "Which incarnation?", field="incarnation")
        refusal = await self._refusal(request)
        if refusal:
            self._enforcement.probe()
            raise DomainError(Reason.LEASE_REFUSED, refusal)
        return RenewLeaseResponse(lease_seconds=self._seconds)

    async def _refusal(self, request: RenewLeaseRequest) -> str:
        has = (request.highest_epoch, request.highest_version)
        async with transaction(self._engine) as conn:
            if not await incarnations.is_present(conn, request.incarnation):
                return "Another database of the exchange answered last."
            if not await sets.region_acknowledged(conn, request.incarnation):
                return "This database of the exchange hasn't got the region's agreements and clients yet."
            if await sets.narrowing_unacknowledged(conn, request.incarnation):
                return "A narrowing hasn't been acknowledged by this database of the exchange."
            if has < await sets.highest_acknowledged(conn):
                return "This database of the exchange lacks a set that was acknowledged before."
            if has > await sets.highest(conn):
                return "This database of the exchange has a set that consent doesn't know: was consent restored?"
        return ""
