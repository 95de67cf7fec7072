"""Grants, lines and moments as messages."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.api.exchange.v1 import exchange_service_pb2 as exchange
from ecm.consent.model.dossier import Line
from ecm.consent.model.grants import Category, Grant, OneRecord, Patient
from ecm.consent.store.narrowings import Narrowing
from ecm.kit.region import Client


def instant(at: datetime | None) -> Timestamp | None:
    """The instant as a message; None stays absent."""
    if at is None:
        return None
    made = Timestamp()
    made.FromDatetime(at)
    return made


def grant_message(grant: Grant) -> records.Grant:
    """One grant."""
    made = records.Grant(
        recipient=grant.recipient,
        case_id=grant.case_id,
        purposes=sorted(grant.purposes),
        view=grant.view,
        valid_from=instant(grant.valid_from),
        valid_until=instant(grant.valid_until),
        line_id=grant.line_id,
        override_id=grant.override_id,
        basis=grant.basis,
    )
    match grant.target:
        case Category(category):
            made.category = category
        case OneRecord(record_id):
            made.record_id = record_id
        case Patient():
            made.patient = True
    return made


def child_set(child_id: str, grants: Sequence[Grant], withheld: frozenset[str]) -> exchange.ApplyGrantsRequest:
    """A child's whole set, epoch and version still to come."""
    return exchange.ApplyGrantsRequest(
        child_id=child_id,
        grants=[grant_message(grant) for grant in grants],
        restrictions=[exchange.Restriction(record_id=record_id) for record_id in sorted(withheld)],
    )


def region_set(
    lines: Sequence[Line], clients: Sequence[Client], blocked: frozenset[str]
) -> exchange.ApplyRegionRequest:
    """The region's whole set, epoch and version still to come."""
    return exchange.ApplyRegionRequest(
        lines=[_line(line) for line in lines],
        clients=[
            exchange.Client(
                client_id=client.id,
                agency=client.agency,
                purpose=client.purpose,
                blocked=client.id in blocked,
                topic=client.topic,
            )
            for client in clients
        ],
    )


def takes_away(before: bytes, after: exchange.ApplyGrantsRequest | exchange.ApplyRegionRequest) -> bool:
    """Whether something that was open before isn't any more, in the same words."""
    if isinstance(after, exchange.ApplyGrantsRequest):
        old = exchange.ApplyGrantsRequest.FromString(before)
        lost = _each(old.grants) - _each(after.grants)
        return bool(lost or _each(after.restrictions) - _each(old.restrictions))
    was = exchange.ApplyRegionRequest.FromString(before)
    return bool(_each(was.lines) - _each(after.lines) or _each(was.clients) - _each(after.clients))


def enforcement(narrowing: Narrowing) -> service.Enforcement:
    """A narrowing's moments."""
    done = narrowing.enforced_at is not None
    return service.Enforcement(
        narrowing_id=str(narrowing.narrowing_id),
        state=service.ENFORCEMENT_STATE_ENFORCED if done else service.ENFORCEMENT_STATE_ENFORCING,
        recorded_at=instant(narrowing.recorded_at),
        enforced_at=instant(narrowing.enforced_at),
        answered_at=instant(narrowing.answered_at),
        epoch=narrowing.version[0],
        version=narrowing.version[1],
    )


def _line(line: Line) -> exchange.Line:
    return exchange.Line(
        line_id=line.line_id,
        recipient=line.recipient,
        category=line.category,
        purposes=sorted(line.purposes),
        valid_from=instant(line.valid_from),
        valid_until=instant(line.valid_until),
        agreement=line.agreement,
        legal_basis=line.legal_basis,
    )


def _each(messages: Sequence[records.Grant | exchange.Restriction | exchange.Line | exchange.Client]) -> set[bytes]:
    return {message.SerializeToString(deterministic=True) for message in messages}
