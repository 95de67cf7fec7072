"""The audit's three RPCs: ListDisclosures, RecordManualDisclosure, VerifyAudit."""

from functools import partial
from pathlib import Path
from uuid import UUID

from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.exchange.audit.chain import Signer
from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.audit.listing import list_disclosures, seek
from ecm.exchange.audit.manual import record_manual
from ecm.exchange.audit.register import Register
from ecm.exchange.audit.scope import require_child
from ecm.exchange.audit.verify import verify
from ecm.kit.call import current_call
from ecm.kit.db.scope import scope_of
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.rpc.commands import Commands


class AuditDisclosures:
    """What the servicer delegates to."""

    def __init__(
        self, uow: UnitOfWork, register: Register, fingerprints: Fingerprints, *, signer: Signer, directory: Path
    ) -> None:
        self._uow = uow
        self._commands = Commands(uow)
        self._register = register
        self._fingerprints = fingerprints
        self._signer = signer
        self._directory = directory

    async def list(self, request: wire.ListDisclosuresRequest) -> wire.ListDisclosuresResponse:
        """Who saw what, and every attempt."""
        # The register is asked before there is a transaction: where it is slow, no connection waits for it.
        scope = scope_of(current_call().principal)
        sought = await seek(request, scope, self._register, self._fingerprints)
        async with self._uow.read() as tx:
            return await list_disclosures(tx, request, sought, self._fingerprints)

    async def record(self, request: wire.RecordManualDisclosureRequest) -> wire.RecordManualDisclosureResponse:
        """A disclosure made by hand."""
        recording = partial(record_manual, register=self._register)
        return await self._commands.run(request, recording, wire.RecordManualDisclosureResponse)

    async def require_in_scope(self, child_id: UUID) -> None:
        """NOT_FOUND for a person of another YOT, in the same words as where there is no such child."""
        scope = scope_of(current_call().principal)
        if scope.yots is not None:
            await require_child(self._register, child_id, scope)

    async def verify(self, request: wire.VerifyAuditRequest) -> wire.VerifyAuditResponse:
        """Whether chain and checkpoints hold."""
        verdict = await verify(self._uow.engine, self._signer, self._directory)
        return wire.VerifyAuditResponse(
            valid=not verdict.faults,
            rows_verified=verdict.verified,
            rows_unsealed=verdict.unsealed,
            checkpoints_verified=verdict.checkpoints,
            faults=verdict.faults,
        )
