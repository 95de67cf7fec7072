"""Consent sought, given, refused, withdrawn (checklist 115 to 128)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1 import consent_records_pb2 as content
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.compiling import load_dossier, recompile
from ecm.consent.learning import Learning, stands_open
from ecm.consent.model import consent as model
from ecm.consent.model import facts as others
from ecm.consent.model import rules
from ecm.consent.model.dates import age_on, birthday, day_of, in_words, start_of
from ecm.consent.model.facts import Fact
from ecm.consent.model.signatures import Terms, needs_second
from ecm.consent.store import facts, narrowings, records
from ecm.consent.store.records import ADULT_REVIEW, EXPIRY, Ordered
from ecm.consent.wire import enforcement
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid

Consent = content.Consent
Mine = Sequence[Ordered[content.Consent]]
ADULT = 18


async def seek(learning: Learning, tx: Tx, request: service.SeekConsentRequest) -> RecordRef:
    """Notes that form and leaflet were explained. ILLEGAL_TRANSITION where that is noted already."""
    case = await _open_case(learning, tx, request.case_id)
    day = day_of(request.sought_on, "sought_on")
    if day > tx.today:
        raise DomainError(Reason.INVALID_VALUE, "It can't have been explained in the future.", field="sought_on")
    mine = await _of_case(tx, case)
    if _first(mine, model.SOUGHT):
        raise DomainError(Reason.ILLEGAL_TRANSITION, "Consent is being sought already in this case.")
    made = await _create(tx, case, model.seek(), reason=f"Explained on {in_words(day)}.")
    return _ref(made)


async def give(learning: Learning, tx: Tx, request: service.GiveConsentRequest) -> RecordRef:
    """Records both instruments as signed; what it supersedes is superseded with it, in one transaction."""
    case = await _open_case(learning, tx, request.case_id)
    child_id = UUID(case.child_id)
    all_of_child = await records.consents_of(tx, child_id)
    mine = records.of_case(all_of_child, UUID(case.record_id))
    denials = model.required_supersession(rules.standing_denials(await load_dossier(tx, child_id)), request.supersedes)
    replaced = {one.consent_id for one in denials} | {
        str(one.record.record_id) for one in mine if one.record.content.state == model.GIVEN
    }
    terms = await _terms(tx, child_id)
    sought = _first(mine, model.SOUGHT)
    made = model.give(sought.content if sought else Consent(state=model.NOT_SOUGHT), request, tx.region, terms)
    made.supersedes = request.supersedes or next(iter(sorted(replaced)), "")
    await _supersede(tx, [one for one in all_of_child if str(one.record.record_id) in replaced])
    saved = await (records.save_consent(tx, sought, made) if sought else _create(tx, case, made))
    await _set_deadlines(tx, saved, terms.birth)
    await recompile(tx, child_id)
    return _ref(saved)


async def refuse(learning: Learning, tx: Tx, request: service.RefuseConsentRequest) -> service.RefuseConsentResponse:
    """Records a refusal. One that stands already is answered as it stands."""
    case = await learning.case(tx, parse_uuid(request.case_id, "case_id"))
    mine = await _of_case(tx, case)
    if _first(mine, model.GIVEN):
        raise DomainError(Reason.ILLEGAL_TRANSITION, "Consent was given in this case: record a withdrawal.")
    standing = _first(mine, model.REFUSED) or _first(mine, model.WITHDRAWN)
    if standing is None:
        sought = _first(mine, model.SOUGHT)
        before = sought.content if sought else Consent(state=model.NOT_SOUGHT)
        made = model.refuse(before, request.ending, tx.today, second_needed=await _second_needed(tx, case))
        standing = await (records.save_consent(tx, sought, made) if sought else _create(tx, case, made))
        await _narrowed(tx, "REFUSAL", standing)
    return service.RefuseConsentResponse(ref=_ref(standing), enforcement=await _enforcement(tx, standing))


async def withdraw(learning: Learning, tx: Tx, request: service.WithdrawRequest) -> service.WithdrawResponse:
    """Records a withdrawal (R). Repeated, by whatever key, it answers the same narrowing."""
    case = await learning.case(tx, parse_uuid(request.case_id, "case_id"))
    mine = await _of_case(tx, case)
    given = _first(mine, model.GIVEN)
    standing = _first(mine, model.WITHDRAWN)
    if given is not None or standing is None:
        before = given or _first(mine, model.EXPIRED)
        if before is None:
            raise DomainError(Reason.ILLEGAL_TRANSITION, "No consent was given in this case: record a refusal instead.")
        made = model.withdraw(before.content, request.ending, tx.region.consent, tx.today)
        standing = await records.save_consent(tx, before, made)
        await records.clear_deadlines(tx, standing.record_id)
        await _narrowed(tx, "WITHDRAWAL", standing)
    return service.WithdrawResponse(ref=_ref(standing), enforcement=await _enforcement(tx, standing))


async def _open_case(learning: Learning, tx: Tx, case_id: str) -> Fact:
    case = await learning.case(tx, parse_uuid(case_id, "case_id"), fresh=True)
    if not await stands_open(tx, case):
        raise DomainError(Reason.ILLEGAL_TRANSITION, "The case is closed; reopen it first.")
    return case


async def _of_case(tx: Tx, case: Fact) -> Mine:
    return records.of_case(await records.consents_of(tx, UUID(case.child_id)), UUID(case.record_id))


def _first(mine: Mine, state: content.ConsentState.ValueType) -> Record[content.Consent] | None:
    return next((one.record for one in mine if one.record.content.state == state), None)


async def _create(tx: Tx, case: Fact, made: content.Consent, *, reason: str = "") -> Record[content.Consent]:
    child_id, case_id = UUID(case.child_id), UUID(case.record_id)
    return await records.create_consent(tx, made, child_id=child_id, case_id=case_id, yot=case.yot, reason=reason)


async def _supersede(tx: Tx, replaced: Mine) -> None:
    for one in replaced:
        await records.save_consent(tx, one.record, model.moved(one.record.content, model.SUPERSEDED))
        await records.clear_deadlines(tx, one.record.record_id)


async def _terms(tx: Tx, child_id: UUID) -> Terms:
    birth = await _birth(tx, child_id)
    if birth is None:
        raise DomainError(Reason.PEER_UNREACHABLE, "The child's date of birth isn't known here yet; try again.")
    return Terms(tx.region.consent, tx.region.languages, birth, tx.today, tx.principal.id)


async def _birth(tx: Tx, child_id: UUID) -> date | None:
    return others.birth_date(await facts.of_child(tx, child_id), await facts.narrowings_of(tx, child_id))


async def _second_needed(tx: Tx, case: Fact) -> bool:
    birth = await _birth(tx, UUID(case.child_id))
    return birth is None or needs_second(age_on(birth, tx.today), tx.region.consent)


async def _set_deadlines(tx: Tx, saved: Record[content.Consent], birth: date) -> None:
    zone = tx.region.zone
    await records.set_deadline(tx, saved.record_id, EXPIRY, saved.child_id, model.expiry(saved.content, zone))
    if saved.content.age_at_signing < ADULT:
        due = start_of(birthday(birth, ADULT), zone)
        await records.set_deadline(tx, saved.record_id, ADULT_REVIEW, saved.child_id, due)


async def _narrowed(tx: Tx, kind: str, saved: Record[content.Consent]) -> None:
    compiled = await recompile(tx, saved.child_id, narrowing=True)
    await narrowings.record(tx, saved.child_id, kind, compiled.version, record_id=saved.record_id)


async def _enforcement(tx: Tx, saved: Record[content.Consent]) -> service.Enforcement | None:
    narrowing = await narrowings.latest_of(tx.conn, saved.record_id)
    return enforcement(narrowing) if narrowing else None


def _ref(saved: Record[content.Consent]) -> RecordRef:
    return RecordRef(record_id=str(saved.record_id), version=saved.version)
