"""Every error as an OperationOutcome. https://hl7.org/fhir/R4/operationoutcome.html

What isn't found is one and the same answer, byte for byte: never existed, not
granted, left one's view, deleted.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import orjson
from starlette.responses import Response

from ecm.kit.errors import DomainError, Reason

FHIR_JSON = "application/fhir+json; charset=utf-8"
NO_STORE = {"cache-control": "no-store"}
RETRY_SECONDS = 2
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class FhirError(Exception):
    """An HTTP status that no reason of the catalogue has (405, 415 …)."""

    def __init__(self, status: int, code: str, text: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.headers = headers


def issue(severity: str, code: str, text: str, expression: str = "") -> dict[str, Any]:
    """One issue. `code` is of http://hl7.org/fhir/ValueSet/issue-type."""
    made: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": text}}
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
        body = outcome([issue("error", error.code, error.text)])
        return Response(body, error.status, {**NO_STORE, **error.headers}, FHIR_JSON)
    entry = error.entry
    text = error.message if error.reason is not Reason.INTERNAL else f"A fault on our side; trace {trace_id}."
    expression = error.field if error.reason is Reason.INVARIANT else ""
    body = outcome([issue("error", entry.fhir_issue_code, text, expression)])
    return Response(body, entry.http_status, {**NO_STORE, **_headers(error)}, FHIR_JSON)


def _headers(error: DomainError) -> dict[str, str]:
    status = error.entry.http_status
    if status == HTTPStatus.UNAUTHORIZED:
        # https://www.rfc-editor.org/rfc/rfc6750#section-3
        why = "" if error.reason is Reason.TOKEN_MISSING else ', error="invalid_token"'
        return {"www-authenticate": f'Bearer realm="fhir"{why}'}
    if error.reason is Reason.SCOPE_INSUFFICIENT:
        return {"www-authenticate": 'Bearer realm="fhir", error="insufficient_scope"'}
    return {"retry-after": str(RETRY_SECONDS)} if status in (429, 503, 504) else {}
