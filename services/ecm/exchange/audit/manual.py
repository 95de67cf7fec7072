"""A disclosure made by hand, such as a paper copy, so that the accounting is whole."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from ecm.api.exchange.v1 import exchange_service_pb2 as wire
from ecm.exchange.audit.register import Register
from ecm.exchange.audit.scope import check_text, require_child
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.kit.trace import current_trace

LONGEST = 200
_NEEDED = ("recipient", "purpose", "what")

# A writer of its own, for one row: it commits with the command's idempotency key, or not at all.
_WRITER = text("INSERT INTO audit_writer (writer) VALUES (:writer)")
_APPEND = text("""
    SELECT audit_append(ROW(CAST(:writer AS uuid), 1, CAST(:at AS timestamptz), '', :agency, :purpose, 'manual', :shape,
        '{}'::bytea[], '[]'::jsonb, ARRAY[CAST(:child AS uuid)], 0, 'disclosed', :recorder, :trace,
        NULL, NULL)::audit)""")


async def record_manual(
    tx: Tx, request: wire.RecordManualDisclosureRequest, register: Register
) -> wire.RecordManualDisclosureResponse:
    """Appends the row. NOT_FOUND for no child of the caller's YOTs; MISSING_VALUE, INVALID_VALUE name the field."""
    child = parse_uuid(request.child_id, "child_id")
    await require_child(register, child, tx.scope)
    values = _values(tx, request)
    writer = tx.ids.uuid()
    await tx.conn.execute(_WRITER, {"writer": writer})
    await tx.conn.execute(_APPEND, values | {"writer": writer, "child": child})
    return wire.RecordManualDisclosureResponse(audit_id=f"{writer}/1")


def _values(tx: Tx, request: wire.RecordManualDisclosureRequest) -> dict[str, Any]:
    for name in _NEEDED:
        _check_text(name, getattr(request, name))
    if request.agency and tx.region.agency(request.agency) is None:
        raise DomainError(Reason.INVALID_VALUE, "The region has no such agency.", field="agency")
    return {
        "at": _at(tx, request),
        "agency": request.agency,
        "purpose": request.purpose,
        "shape": f"{request.what}, to {request.recipient}",
        "recorder": tx.principal.id,
        "trace": current_trace().trace_id,
    }


def _check_text(name: str, value: str) -> None:
    if not value.strip():
        raise DomainError(Reason.MISSING_VALUE, f"{name} is needed.", field=name)
    if len(value) > LONGEST:
        raise DomainError(Reason.TOO_LARGE, f"{name} has at most {LONGEST} characters.", field=name)
    check_text(name, value)


def _at(tx: Tx, request: wire.RecordManualDisclosureRequest) -> datetime:
    if not request.HasField("at"):
        raise DomainError(Reason.MISSING_VALUE, "at is needed.", field="at")
    at = request.at.ToDatetime(UTC)
    if at > tx.now:
        raise DomainError(Reason.INVALID_VALUE, "at lies in the future.", field="at")
    return at
