"""The exchange's lease: `consent`'s word that no narrowing waits.

L seconds on CLOCK_BOOTTIME, counted from before it was asked for. Without it
nothing leaves: 503 with Retry-After, for everyone alike.
"""

import asyncio
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.consent.v1.consent_service_pb2 import RenewLeaseRequest
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.kit.clock import Clock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import Ids
from ecm.kit.lease import renewal_seconds
from ecm.kit.rpc.channel import Peer
from ecm.kit.telemetry import logger

_STATE = text("""
    SELECT s.incarnation, h.epoch, h.version FROM exchange_state s CROSS JOIN LATERAL (
        SELECT epoch, version FROM (
            (SELECT g.epoch, g.version FROM grant_set g ORDER BY g.epoch DESC, g.version DESC LIMIT 1)
            UNION ALL SELECT s.region_epoch, s.region_version) AS known
         ORDER BY epoch DESC, version DESC LIMIT 1) AS h""")


class LeaseCheck(Protocol):
    """Whether anything may leave."""

    def require(self) -> None:
        """Raises LEASE_EXPIRED where nothing may."""
        ...


class Lease:
    """One worker's lease, renewed every L/3."""

    def __init__(self, engine: AsyncEngine, consent: Peer, clock: Clock, ids: Ids, seconds: float) -> None:
        self._engine = engine
        self._consent = consent
        self._stub = ConsentServiceStub(consent.channel)
        self._clock = clock
        self._worker = str(ids.uuid())
        self._seconds = seconds
        self._until = 0.0
        self._held = False

    def valid(self) -> bool:
        """Whether the lease holds at this moment."""
        return self._clock.boottime() < self._until

    def require(self) -> None:
        """Raises LEASE_EXPIRED (503, try again) where it doesn't."""
        if not self.valid():
            raise DomainError(Reason.LEASE_EXPIRED, "The exchange waits for word from consent; try again shortly.")

    async def run(self) -> None:
        """Renews until cancelled. A failure is tried again soon; what is held stays until its time."""
        while True:
            renewed = await self._try()
            await asyncio.sleep(self._seconds / (3 if renewed else 10))

    async def renew(self) -> None:
        """Asks once. Raises consent's DomainError: LEASE_REFUSED while a narrowing is unacknowledged."""
        asked_at = self._clock.boottime()
        request = await self._request()
        answer = await self._consent.call(self._stub.RenewLease, request, timeout=renewal_seconds(self._seconds))
        # Never longer than our own setting: consent counts with it.
        self._until = asked_at + min(answer.lease_seconds, self._seconds)

    async def _try(self) -> bool:
        try:
            await self.renew()
        except Exception as error:
            self._log(held=False, error=error)
            return False
        self._log(held=True)
        return True

    async def _request(self) -> RenewLeaseRequest:
        async with self._engine.connect() as conn:
            state = (await conn.execute(_STATE)).one()
        return RenewLeaseRequest(
            incarnation=str(state.incarnation),
            worker=self._worker,
            highest_epoch=state.epoch,
            highest_version=state.version,
        )

    def _log(self, *, held: bool, error: Exception | None = None) -> None:
        """One line when it changes, not one a renewal."""
        if held != self._held:
            self._held = held
            if held:
                logger().info("lease.held")
            else:
                logger().warning("lease.not_renewed", exc_info=error)
