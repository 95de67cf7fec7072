"""The exchange's gRPC side: grants in, the accounting of disclosures out."""

from typing import Protocol
from uuid import UUID

import grpc
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.api.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceServicer
from ecm.exchange.grants import Grants
from ecm.exchange.tables.projection import projected_record
from ecm.kit.db.failures import told_in_domain_words
from ecm.kit.ids import parse_uuid

Context = grpc.aio.ServicerContext[object, object]


class Disclosures(Protocol):
    """The audit package's side of the service."""

    async def list(self, request: wire.ListDisclosuresRequest) -> wire.ListDisclosuresResponse:
        """Who saw what, and every attempt."""
        ...

    async def record(self, request: wire.RecordManualDisclosureRequest) -> wire.RecordManualDisclosureResponse:
        """A disclosure made by hand; a command."""
        ...

    async def verify(self, request: wire.VerifyAuditRequest) -> wire.VerifyAuditResponse:
        """Whether chain and checkpoints hold."""
        ...

    async def require_in_scope(self, child_id: UUID) -> None:
        """NOT_FOUND unless the caller may ask about the child."""
        ...


class ExchangeServicer(ExchangeServiceServicer):
    """Each method is one use case of another module."""

    def __init__(self, engine: AsyncEngine, grants: Grants, disclosures: Disclosures) -> None:
        self._engine = engine
        self._grants = grants
        self._disclosures = disclosures

    async def ApplyGrants(self, request: wire.ApplyGrantsRequest, context: Context) -> wire.ApplyGrantsResponse:
        with told_in_domain_words():
            return await self._grants.apply_child(request)

    async def ApplyRegion(self, request: wire.ApplyRegionRequest, context: Context) -> wire.ApplyRegionResponse:
        with told_in_domain_words():
            return await self._grants.apply_region(request)

    async def ListDisclosures(
        self, request: wire.ListDisclosuresRequest, context: Context
    ) -> wire.ListDisclosuresResponse:
        return await self._disclosures.list(request)

    async def RecordManualDisclosure(
        self, request: wire.RecordManualDisclosureRequest, context: Context
    ) -> wire.RecordManualDisclosureResponse:
        return await self._disclosures.record(request)

    async def VerifyAudit(self, request: wire.VerifyAuditRequest, context: Context) -> wire.VerifyAuditResponse:
        return await self._disclosures.verify(request)

    async def GetProjection(self, request: wire.GetProjectionRequest, context: Context) -> wire.GetProjectionResponse:
        child_id = parse_uuid(request.child_id, "child_id")
        await self._disclosures.require_in_scope(child_id)
        query = select(projected_record).where(projected_record.c.child_id == child_id)
        with told_in_domain_words():
            async with self._engine.connect() as conn:
                rows = (await conn.execute(query.order_by(projected_record.c.record_id))).all()
        names = ("service", "kind", "known_version", "projected_version", "hidden")
        records = [
            wire.ProjectedRecord(record_id=str(row.record_id), **{name: getattr(row, name) for name in names})
            for row in rows
        ]
        return wire.GetProjectionResponse(records=records)
