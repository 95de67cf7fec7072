"""Takes other services' narrowings before they commit them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ecm.api.consent.v1 import consent_records_pb2 as content
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.compiling import recompile
from ecm.consent.learning import expire_of_case
from ecm.consent.model import consent as model
from ecm.consent.model.dates import day_of
from ecm.consent.model.facts import BIRTH_DATE, CLOSE_CASE, PROTECT, RECORD, Narrowed
from ecm.consent.model.signatures import Terms
from ecm.consent.store import facts, narrowings, records
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid


async def narrow(tx: Tx, request: service.NarrowRequest) -> UUID:
    """Records the narrowing (R) and compiles the child's set; its id is the intent's, so that twice is once.

    Asks nobody: not having heard of the child, or of the record, is no reason to refuse.
    """
    intent_id = parse_uuid(request.intent_id, "intent_id")
    child_id = parse_uuid(request.child_id, "child_id")
    one = _narrowed(request)
    await facts.lock_child(tx, child_id)
    if await narrowings.find(tx.conn, intent_id) is None:
        await facts.narrow(tx, child_id, one)
        await _consequences(tx, child_id, one, request)
        compiled = await recompile(tx, child_id, narrowing=True)
        record_id = UUID(one.record_id)
        await narrowings.record(tx, child_id, one.kind, compiled.version, record_id=record_id, narrowing_id=intent_id)
    return intent_id


def _narrowed(request: service.NarrowRequest) -> Narrowed:
    def made(kind: str, record_id: str, version: int, terms: Mapping[str, Any]) -> Narrowed:
        return Narrowed(request.intent_id, kind, str(parse_uuid(record_id, "record_id")), version, terms)

    match request.WhichOneof("what"):
        case "protect":
            flag = request.protect
            if not flag.kind:
                raise DomainError(Reason.MISSING_VALUE, "What is protected?", field="protect.kind")
            terms = {"kind": int(flag.kind), "named": sorted(flag.named_agencies)}
            return made(PROTECT, request.child_id, flag.child_version, terms)
        case "close_case":
            return made(CLOSE_CASE, request.close_case.case_id, request.close_case.case_version, {})
        case "birth_date":
            day = day_of(request.birth_date.date_of_birth, "birth_date.date_of_birth")
            return made(
                BIRTH_DATE, request.child_id, request.birth_date.child_version, {"date_of_birth": day.isoformat()}
            )
        case "record":
            return made(RECORD, request.record.record_id, 0, {"agency": request.record.agency})
    raise DomainError(Reason.MISSING_VALUE, "What narrows?", field="what")


async def _consequences(tx: Tx, child_id: UUID, one: Narrowed, request: service.NarrowRequest) -> None:
    if one.kind == CLOSE_CASE:
        await expire_of_case(tx, child_id, UUID(one.record_id))
    if one.kind == BIRTH_DATE:
        await _recheck(tx, child_id, request)


async def _recheck(tx: Tx, child_id: UUID, request: service.NarrowRequest) -> None:
    """Whether what was signed suffices at the corrected age (checklist 124)."""
    birth = day_of(request.birth_date.date_of_birth, "birth_date.date_of_birth")
    today = tx.today
    terms = Terms(tx.region.consent, tx.region.languages, birth, today, recorder="")
    for one in await records.consents_of(tx, child_id):
        if one.record.content.state == content.CONSENT_STATE_GIVEN:
            checked = model.recheck(one.record.content, terms)
            await records.save_consent(tx, one.record, checked, reason="The date of birth was corrected.")
