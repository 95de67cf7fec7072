"""Why a call is refused: the names of `ecm.api.common.v1.ErrorReason`, and what each becomes at the edges."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum, auto


class Reason(StrEnum):
    """One reason per way to fail; the meanings stand in `common/v1/error_reason.proto`.

    Written out, not derived, so that mypy knows the members; a test holds it
    equal to the enum of the proto.
    """

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name

    INVALID_VALUE = auto()
    MISSING_VALUE = auto()
    NHS_NUMBER_INVALID = auto()
    NOT_FOUND = auto()
    ALREADY_EXISTS = auto()
    VERSION_CONFLICT = auto()
    IDEMPOTENCY_KEY_REUSED = auto()
    IDEMPOTENCY_KEY_MISSING = auto()
    TOKEN_MISSING = auto()
    TOKEN_MALFORMED = auto()
    TOKEN_EXPIRED = auto()
    TOKEN_ISSUER = auto()
    TOKEN_AUDIENCE = auto()
    TOKEN_ALGORITHM = auto()
    TOKEN_SIGNATURE = auto()
    TOKEN_CLAIM_MISSING = auto()
    PERMISSION_DENIED = auto()
    SCOPE_INSUFFICIENT = auto()
    CLIENT_BLOCKED = auto()
    ILLEGAL_TRANSITION = auto()
    CRITERIA_NOT_MET = auto()
    CONSENT_REQUIRED = auto()
    SIGNATURES_INCOMPLETE = auto()
    SUPERSESSION_REQUIRED = auto()
    ATTENDEE_REFUSED = auto()
    CIRCULATION_NOT_AGREED = auto()
    SECOND_PERSON_REQUIRED = auto()
    CONSENT_UNREACHABLE = auto()
    PEER_UNREACHABLE = auto()
    LEASE_EXPIRED = auto()
    LEASE_REFUSED = auto()
    DEADLINE_EXCEEDED = auto()
    TOO_LARGE = auto()
    RATE_LIMITED = auto()
    NOT_SUPPORTED = auto()
    INVARIANT = auto()
    MALFORMED_JSON = auto()
    CURSOR_INVALID = auto()
    INTERNAL = auto()
    FORMAT_NOT_SUPPORTED = auto()
    AUTHOR_REQUIRED = auto()


class GrpcStatus(IntEnum):
    """The canonical codes that we use, by number: rules know them without importing grpc.

    https://grpc.io/docs/guides/status-codes/
    """

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """What one reason becomes: gRPC status, HTTP status, FHIR R4 issue code, and whether trying again can help.

    Issue codes: http://hl7.org/fhir/R4/valueset-issue-type.html
    """

    grpc_status: GrpcStatus
    http_status: int
    fhir_issue_code: str
    retryable: bool = False


_S = GrpcStatus
CATALOG: dict[Reason, CatalogEntry] = {
    Reason.INVALID_VALUE: CatalogEntry(_S.INVALID_ARGUMENT, 400, "value"),
    Reason.MISSING_VALUE: CatalogEntry(_S.INVALID_ARGUMENT, 400, "required"),
    Reason.NHS_NUMBER_INVALID: CatalogEntry(_S.INVALID_ARGUMENT, 422, "value"),
    Reason.NOT_FOUND: CatalogEntry(_S.NOT_FOUND, 404, "not-found"),
    Reason.ALREADY_EXISTS: CatalogEntry(_S.ALREADY_EXISTS, 409, "duplicate"),
    Reason.VERSION_CONFLICT: CatalogEntry(_S.ABORTED, 412, "conflict"),
    Reason.IDEMPOTENCY_KEY_REUSED: CatalogEntry(_S.ALREADY_EXISTS, 409, "duplicate"),
    Reason.IDEMPOTENCY_KEY_MISSING: CatalogEntry(_S.INVALID_ARGUMENT, 400, "required"),
    Reason.TOKEN_MISSING: CatalogEntry(_S.UNAUTHENTICATED, 401, "login"),
    Reason.TOKEN_MALFORMED: CatalogEntry(_S.UNAUTHENTICATED, 401, "login"),
    Reason.TOKEN_EXPIRED: CatalogEntry(_S.UNAUTHENTICATED, 401, "expired"),
    Reason.TOKEN_ISSUER: CatalogEntry(_S.UNAUTHENTICATED, 401, "login"),
    Reason.TOKEN_AUDIENCE: CatalogEntry(_S.UNAUTHENTICATED, 401, "login"),
    Reason.TOKEN_ALGORITHM: CatalogEntry(_S.UNAUTHENTICATED, 401, "login"),
    Reason.TOKEN_SIGNATURE: CatalogEntry(_S.UNAUTHENTICATED, 401, "login"),
    Reason.TOKEN_CLAIM_MISSING: CatalogEntry(_S.UNAUTHENTICATED, 401, "login"),
    Reason.PERMISSION_DENIED: CatalogEntry(_S.PERMISSION_DENIED, 403, "forbidden"),
    Reason.SCOPE_INSUFFICIENT: CatalogEntry(_S.PERMISSION_DENIED, 403, "forbidden"),
    Reason.CLIENT_BLOCKED: CatalogEntry(_S.PERMISSION_DENIED, 403, "suppressed"),
    Reason.ILLEGAL_TRANSITION: CatalogEntry(_S.FAILED_PRECONDITION, 422, "business-rule"),
    Reason.CRITERIA_NOT_MET: CatalogEntry(_S.FAILED_PRECONDITION, 422, "business-rule"),
    Reason.CONSENT_REQUIRED: CatalogEntry(_S.FAILED_PRECONDITION, 422, "business-rule"),
    Reason.SIGNATURES_INCOMPLETE: CatalogEntry(_S.FAILED_PRECONDITION, 422, "business-rule"),
    Reason.SUPERSESSION_REQUIRED: CatalogEntry(_S.FAILED_PRECONDITION, 422, "business-rule"),
    Reason.ATTENDEE_REFUSED: CatalogEntry(_S.INVALID_ARGUMENT, 422, "business-rule"),
    Reason.CIRCULATION_NOT_AGREED: CatalogEntry(_S.FAILED_PRECONDITION, 422, "business-rule"),
    Reason.SECOND_PERSON_REQUIRED: CatalogEntry(_S.FAILED_PRECONDITION, 422, "business-rule"),
    Reason.CONSENT_UNREACHABLE: CatalogEntry(_S.UNAVAILABLE, 503, "transient", retryable=True),
    Reason.PEER_UNREACHABLE: CatalogEntry(_S.UNAVAILABLE, 503, "transient", retryable=True),
    Reason.LEASE_EXPIRED: CatalogEntry(_S.UNAVAILABLE, 503, "transient", retryable=True),
    Reason.LEASE_REFUSED: CatalogEntry(_S.UNAVAILABLE, 503, "transient", retryable=True),
    Reason.DEADLINE_EXCEEDED: CatalogEntry(_S.DEADLINE_EXCEEDED, 504, "timeout", retryable=True),
    Reason.TOO_LARGE: CatalogEntry(_S.INVALID_ARGUMENT, 413, "too-long"),
    Reason.RATE_LIMITED: CatalogEntry(_S.RESOURCE_EXHAUSTED, 429, "throttled", retryable=True),
    Reason.NOT_SUPPORTED: CatalogEntry(_S.UNIMPLEMENTED, 400, "not-supported"),
    Reason.INVARIANT: CatalogEntry(_S.INVALID_ARGUMENT, 422, "invariant"),
    Reason.MALFORMED_JSON: CatalogEntry(_S.INVALID_ARGUMENT, 400, "structure"),
    Reason.CURSOR_INVALID: CatalogEntry(_S.INVALID_ARGUMENT, 400, "value"),
    Reason.INTERNAL: CatalogEntry(_S.INTERNAL, 500, "exception"),
    Reason.FORMAT_NOT_SUPPORTED: CatalogEntry(_S.INVALID_ARGUMENT, 406, "not-supported"),
    Reason.AUTHOR_REQUIRED: CatalogEntry(_S.INVALID_ARGUMENT, 422, "business-rule"),
}
