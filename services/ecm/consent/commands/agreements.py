"""Sharing agreements and partners' clients: the region's own set."""

from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1 import consent_records_pb2 as content
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.compiling import recompile_region
from ecm.consent.model import agreement as model
from ecm.consent.store import agreements, facts, narrowings, sets
from ecm.consent.store.records import AGREEMENT
from ecm.consent.wire import enforcement
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid


async def propose(tx: Tx, request: service.ProposeAgreementRequest) -> RecordRef:
    """A new agreement, or a new version of the one with this id or key. It opens nothing."""
    await agreements.lock_region(tx)
    wanted = request.agreement
    known = await _known(tx, request)
    in_force = await agreements.in_force(tx, known) if known else None
    made = model.propose(wanted, in_force, tx.principal.id, tx.region, tx.ids)
    if known is None:
        return await _create(tx, made)
    before = await _load(tx, known)
    if before.content.key != wanted.key:
        raise DomainError(Reason.INVALID_VALUE, "An agreement keeps its key.", field="agreement.key")
    return _ref(await tx.records.update(before, made))


async def approve(tx: Tx, request: service.ApproveAgreementRequest) -> service.ApproveAgreementResponse:
    """Puts the proposed version in force. Where a line went, or changed its conditions, that is a narrowing."""
    await agreements.lock_region(tx)
    before = await _load(tx, parse_uuid(request.agreement_id, "agreement_id"))
    approved = model.approve(before.content, tx.principal.id, tx.today)
    saved = await tx.records.update(before, approved, expected_version=request.expected_version)
    await agreements.put_in_force(tx, saved.record_id, approved)
    compiled = await recompile_region(tx)
    await sets.queue_all(tx.conn, await facts.children(tx))
    response = service.ApproveAgreementResponse(ref=_ref(saved))
    if compiled.narrows:
        response.enforcement.CopyFrom(await _narrowed(tx, "AGREEMENT", compiled.version, saved.record_id))
    return response


async def end(tx: Tx, request: service.EndAgreementRequest) -> service.EndAgreementResponse:
    """Ends it for good: one call closes all of its lines, whichever child's grant names them."""
    await agreements.lock_region(tx)
    before = await _load(tx, parse_uuid(request.agreement_id, "agreement_id"))
    ended = model.end(before.content)
    saved = await tx.records.update(
        before, ended, expected_version=request.expected_version, closed=True, reason=request.reason
    )
    await agreements.remove(tx, saved.record_id)
    compiled = await recompile_region(tx, narrowing=True)
    await sets.queue_all(tx.conn, await facts.children(tx))
    told = await _narrowed(tx, "AGREEMENT", compiled.version, saved.record_id)
    return service.EndAgreementResponse(ref=_ref(saved), enforcement=told)


async def block_client(tx: Tx, request: service.BlockClientRequest) -> service.BlockClientResponse:
    """Blocks a partner's client, or lets it in again."""
    if tx.region.client(request.client_id) is None:
        raise DomainError(Reason.NOT_FOUND, "The region has no such client.")
    await agreements.lock_region(tx)
    if request.blocked:
        await agreements.block(tx, request.client_id, request.reason)
    else:
        await agreements.unblock(tx, request.client_id)
    compiled = await recompile_region(tx, narrowing=request.blocked)
    return service.BlockClientResponse(enforcement=await _narrowed(tx, "CLIENT", compiled.version, None))


async def _known(tx: Tx, request: service.ProposeAgreementRequest) -> UUID | None:
    if request.agreement_id:
        return parse_uuid(request.agreement_id, "agreement_id")
    return await agreements.by_key(tx, request.agreement.key)


async def _create(tx: Tx, made: content.Agreement) -> RecordRef:
    agreement_id = tx.ids.uuid()
    saved = await tx.records.create(AGREEMENT, made, child_id=agreement_id, yot="", record_id=agreement_id)
    await agreements.add(tx, agreement_id, made.key)
    return _ref(saved)


async def _load(tx: Tx, agreement_id: UUID) -> Record[content.Agreement]:
    return await tx.records.get(agreement_id, content.Agreement, kind=AGREEMENT, lock=True)


async def _narrowed(tx: Tx, kind: str, version: sets.Version, record_id: UUID | None) -> service.Enforcement:
    narrowing_id = await narrowings.record(tx, sets.REGION, kind, version, record_id=record_id)
    return enforcement(await narrowings.get(tx.conn, narrowing_id))


def _ref(saved: Record[content.Agreement]) -> RecordRef:
    return RecordRef(record_id=str(saved.record_id), version=saved.version)
