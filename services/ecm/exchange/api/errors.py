"""Every error as an OperationOutcome. https://hl7.org/fhir/R4/operationoutcome.html

What isn't found is one and the same answer, byte for byte: never existed, not
granted, left one's view, deleted.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import ceil
from types import MappingProxyType
from typing import Any

import orjson
from starlette.responses import Response

from ecm.exchange.mapping.codes import ERROR_REASON
from ecm.kit.errors import CATALOG, DomainError, Reason

FHIR_JSON = "application/fhir+json; charset=utf-8"
NO_STORE = {"cache-control": "no-store"}
RETRY_SECONDS = 2
# Their `field` is a path into the resource; names in it come from outside.
_OF_THE_BODY = frozenset({Reason.INVARIANT, Reason.MALFORMED_JSON})
LONGEST_PATH = 200
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class FhirError(Exception):
    """A refusal whose HTTP status isn't its reason's own (405, 415 …)."""

    def __init__(self, status: int, reason: Reason, text: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.text = text
        self.headers = headers


def notice(text: str) -> dict[str, Any]:
    """An issue that is none: something to know."""
    return {"severity": "information", "code": "informational", "details": {"text": text}}


def issue(severity: str, reason: Reason, text: str, expression: str = "") -> dict[str, Any]:
    """One issue, with its reason as a code: the same as in gRPC (`ecm.api.common.v1.ErrorReason`).

    `expression` names the element that is at fault.
    """
    details = {"coding": [{"system": ERROR_REASON, "code": reason.value}], "text": text}
    made: dict[str, Any] = {"severity": severity, "code": CATALOG[reason].fhir_issue_code, "details": details}
    return made | {"expression": [expression]} if expression else made


def outcome(issues: Sequence[dict[str, Any]]) -> bytes:
    """An OperationOutcome."""
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": list(issues)})


def not_found() -> DomainError:
    """The one answer to whatever isn't there for the caller."""
    return DomainError(Reason.NOT_FOUND, "Nothing is here for you.")


def response_to(error: DomainError | FhirError, trace_id: str) -> Response:
    """The error as an HTTP answer."""
    if isinstance(error, FhirError):
        body = outcome([issue("error", error.reason, error.text)])
        return Response(body, error.status, {**NO_STORE, **error.headers}, FHIR_JSON)
    entry = error.entry
    text = error.message if error.reason is not Reason.INTERNAL else f"A fault on our side; trace {trace_id}."
    expression = error.field[:LONGEST_PATH] if error.reason in _OF_THE_BODY else ""
    body = outcome([issue("error", error.reason, text, expression)])
    return Response(body, entry.http_status, {**NO_STORE, **_headers(error)}, FHIR_JSON)


def _headers(error: DomainError) -> dict[str, str]:
    status = error.entry.http_status
    if status == HTTPStatus.UNAUTHORIZED:
        # https://www.rfc-editor.org/rfc/rfc6750#section-3
        why = "" if error.reason is Reason.TOKEN_MISSING else ', error="invalid_token"'
        return {"www-authenticate": f'Bearer realm="fhir"{why}'}
    if error.reason is Reason.SCOPE_INSUFFICIENT:
        return {"www-authenticate": 'Bearer realm="fhir", error="insufficient_scope"'}
    return {"retry-after": str(ceil(error.retry_after) or RETRY_SECONDS)} if status in (429, 503, 504) else {}
