"""Safeguarding overrides (checklist 127)."""

from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef, RecordVersion
from ecm.api.consent.v1 import consent_records_pb2 as content
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.compiling import recompile
from ecm.consent.learning import Learning
from ecm.consent.model import override as model
from ecm.consent.store import facts, narrowings, records
from ecm.consent.store.records import OVERRIDE, OVERRIDE_END
from ecm.consent.wire import enforcement
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid


async def open_override(learning: Learning, tx: Tx, request: service.OpenOverrideRequest) -> RecordRef:
    """Opens one, until the end that it names."""
    child = await learning.child(tx, parse_uuid(request.child_id, "child_id"))
    made = model.open_override(request.override, tx.now, tx.region)
    child_id = UUID(child.record_id)
    saved = await tx.records.create(OVERRIDE, made, child_id=child_id, yot=child.yot)
    await _until(tx, saved)
    await recompile(tx, child_id)
    return _ref(saved)


async def renew(tx: Tx, request: service.RenewOverrideRequest) -> RecordRef:
    """A new end; the review is due again."""
    before = await _load(tx, request.override_id)
    made = model.renew(before.content, request.ends_at, tx.now, tx.region)
    saved = await tx.records.update(before, made, expected_version=request.expected_version, reason=request.reason)
    await _until(tx, saved)
    await recompile(tx, saved.child_id)
    return _ref(saved)


async def review(tx: Tx, request: service.ReviewOverrideRequest) -> RecordRef:
    """A second person has looked at it."""
    before = await _load(tx, request.override_id)
    made = model.review(before.content, tx.principal.id, await _openers(tx, before.record_id))
    return _ref(await tx.records.update(before, made, expected_version=request.expected_version))


async def end(tx: Tx, request: service.EndOverrideRequest) -> service.EndOverrideResponse:
    """Ends it before its time; a narrowing."""
    before = await _load(tx, request.override_id)
    if before.closed:
        narrowing = await narrowings.latest_of(tx.conn, before.record_id)
        told = enforcement(narrowing) if narrowing else None
        return service.EndOverrideResponse(ref=_ref(before), enforcement=told)
    ended = model.end(before.content)
    saved = await tx.records.update(
        before, ended, expected_version=request.expected_version, closed=True, reason=request.reason
    )
    await records.clear_deadlines(tx, saved.record_id)
    compiled = await recompile(tx, saved.child_id, narrowing=True)
    narrowing_id = await narrowings.record(tx, saved.child_id, "OVERRIDE", compiled.version, record_id=saved.record_id)
    told = enforcement(await narrowings.get(tx.conn, narrowing_id))
    return service.EndOverrideResponse(ref=_ref(saved), enforcement=told)


async def _load(tx: Tx, override_id: str) -> Record[content.Override]:
    record_id = parse_uuid(override_id, "override_id")
    child_id = await records.child_of(tx, record_id)
    if child_id is None:
        raise DomainError(Reason.NOT_FOUND, "There is no override with this id.")
    await facts.lock_child(tx, child_id)
    return await tx.records.get(record_id, content.Override, kind=OVERRIDE)


async def _openers(tx: Tx, record_id: UUID) -> set[str]:
    """Who opened or renewed it: those versions are the ones that wait for a review."""
    openers: set[str] = set()
    after, more = 0, True
    while more:
        versions, more = await tx.records.versions(record_id, after)
        openers |= {one.recorded_by for one in versions if _waits(one)}
        after = versions[-1].version if versions else after
    return openers


def _waits(version: RecordVersion) -> bool:
    return not content.Override.FromString(version.content.value).reviewed_by


async def _until(tx: Tx, saved: Record[content.Override]) -> None:
    ends_at = model.summary(str(saved.record_id), saved.content).ends_at
    await records.set_deadline(tx, saved.record_id, OVERRIDE_END, saved.child_id, ends_at)


def _ref(saved: Record[content.Override]) -> RecordRef:
    return RecordRef(record_id=str(saved.record_id), version=saved.version)
