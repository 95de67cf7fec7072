"""What is read: consents, agreements, gates, explanations."""

from datetime import datetime
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1 import consent_records_pb2 as content
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.compiling import load_dossier
from ecm.consent.learning import Learning
from ecm.consent.model import gate
from ecm.consent.model.agreement import APPROVED
from ecm.consent.model.consent import without_scans
from ecm.consent.model.decide import decide
from ecm.consent.model.dossier import Dossier, Line
from ecm.consent.model.grants import Category, OneRecord, Target, compile_grants
from ecm.consent.model.rules import openings
from ecm.consent.model.words import CATEGORIES
from ecm.consent.store import agreements, facts, records, sets
from ecm.consent.store.records import AGREEMENT
from ecm.consent.wire import grant_message
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid


async def list_consents(
    learning: Learning, tx: Tx, request: service.ListConsentsRequest
) -> service.ListConsentsResponse:
    """The consents of a case, newest first, scans left out."""
    case = await learning.case(tx, parse_uuid(request.case_id, "case_id"))
    mine = records.of_case(await records.consents_of(tx, UUID(case.child_id)), UUID(case.record_id))
    listed = [service.ListedConsent(ref=_ref(one.record), consent=without_scans(one.record.content)) for one in mine]
    return service.ListConsentsResponse(consents=listed)


async def check_gate(learning: Learning, tx: Tx, request: service.CheckGateRequest) -> service.CheckGateResponse:
    """Whether the step may be taken now, by the database's clock."""
    if not request.gate:
        raise DomainError(Reason.MISSING_VALUE, "Which step?", field="gate")
    case = await learning.case(tx, parse_uuid(request.case_id, "case_id"), fresh=True)
    child_id = UUID(case.child_id)
    step = gate.Step(case.record_id, request.gate, request.agencies)
    at = await facts.database_now(tx)
    answer = gate.check(await load_dossier(tx, child_id), await agreements.lines(tx), step, at)
    response = service.CheckGateResponse(open=answer.open, reason=answer.reason, consent_id=answer.consent_id)
    for one in await records.consents_of(tx, child_id):
        if str(one.record.record_id) == answer.consent_id:
            response.consent_version = one.record.version
    return response


async def list_agreements(tx: Tx, request: service.ListAgreementsRequest) -> service.ListAgreementsResponse:
    """The region's agreements by key; the version in force beside a newer proposal."""
    found = await tx.records.list(AGREEMENT, content.Agreement, include_closed=request.include_ended)
    response = service.ListAgreementsResponse()
    for one in sorted(found, key=lambda record: record.content.key):
        listed = service.ListedAgreement(ref=_ref(one), agreement=one.content)
        in_force = await agreements.in_force(tx, one.record_id)
        if in_force is not None and one.content.state != APPROVED:
            listed.in_force.CopyFrom(in_force)
        response.agreements.append(listed)
    return response


async def explain(learning: Learning, tx: Tx, request: service.ExplainGrantsRequest) -> service.ExplainGrantsResponse:
    """Why an agency sees or doesn't see each category, and each record that is opened by itself."""
    if tx.region.agency(request.agency) is None:
        raise DomainError(Reason.INVALID_VALUE, "The region has no such agency.", field="agency")
    child = await learning.child(tx, parse_uuid(request.child_id, "child_id"))
    dossier, lines = await load_dossier(tx, UUID(child.record_id)), await agreements.lines(tx)
    at = await facts.database_now(tx)
    stored = await sets.find(tx.conn, UUID(child.record_id))
    epoch, version = stored.version if stored else sets.NOTHING
    mine = [grant for grant in compile_grants(dossier, lines) if grant.recipient == request.agency]
    return service.ExplainGrantsResponse(
        categories=_explanations(dossier, lines, request.agency, at),
        grants=[grant_message(grant) for grant in mine],
        epoch=epoch,
        version=version,
    )


def _explanations(dossier: Dossier, lines: list[Line], agency: str, at: datetime) -> list[service.CategoryExplanation]:
    opened = [r for opening in openings(dossier) if opening.agency == agency for r in opening.record_ids]
    targets: list[Target] = [*map(Category, CATEGORIES), *map(OneRecord, dict.fromkeys(opened))]
    return [_explanation(dossier, lines, agency, target, at) for target in targets]


def _explanation(
    dossier: Dossier, lines: list[Line], agency: str, target: Target, at: datetime
) -> service.CategoryExplanation:
    decision = decide(dossier, lines, agency, target, purpose="", at=at)
    made = service.CategoryExplanation(permitted=decision.permitted, view=decision.view, reason=decision.reason)
    match target:
        case Category(category):
            made.category = category
        case OneRecord(record_id):
            made.record_id = record_id
    return made


def _ref(one: Record[content.Consent] | Record[content.Agreement]) -> RecordRef:
    return RecordRef(record_id=str(one.record_id), version=one.version)
