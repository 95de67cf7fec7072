"""The catalogue is complete, and errors survive the way over the wire."""

import pickle

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from ecm.api.common.v1 import error_reason_pb2
from ecm.kit.errors import CATALOG, DomainError, GrpcStatus, Reason, from_status, to_status
from ecm.kit.rpc.status import STATUS_DETAILS_KEY, from_rpc_error, status_code

# http://hl7.org/fhir/R4/valueset-issue-type.html
# fmt: off
ISSUE_TYPES = {
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden",
    "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
    "exception", "timeout", "incomplete", "throttled", "informational",
}
# fmt: on


def test_reasons_are_those_of_the_proto() -> None:
    names = {name.removeprefix("ERROR_REASON_") for name in list(error_reason_pb2.ErrorReason.keys())}
    assert {reason.value for reason in Reason} == names - {"UNSPECIFIED"}


def test_catalogue_has_every_reason_and_no_other() -> None:
    assert set(CATALOG) == set(Reason)


def test_catalogue_uses_real_codes() -> None:
    for reason, entry in CATALOG.items():
        assert entry.fhir_issue_code in ISSUE_TYPES, reason
        assert 400 <= entry.http_status < 600, reason
        assert grpc.StatusCode[entry.grpc_status.name].value[0] == entry.grpc_status, reason


def test_only_what_passes_by_itself_is_retryable() -> None:
    passing = {GrpcStatus.UNAVAILABLE, GrpcStatus.DEADLINE_EXCEEDED, GrpcStatus.RESOURCE_EXHAUSTED}
    for reason, entry in CATALOG.items():
        assert entry.retryable == (entry.grpc_status in passing), reason


@pytest.mark.parametrize("reason", Reason)
def test_an_error_survives_the_wire(reason: Reason) -> None:
    sent = DomainError(reason, "What to do.", field="child.birth_date", metadata={"version": "3"})
    got = from_status(Status.FromString(to_status(sent).SerializeToString()))
    assert (got.reason, got.message, got.field, got.metadata) == (
        reason,
        "What to do.",
        "child.birth_date",
        {"version": "3"},
    )
    assert status_code(got).name == CATALOG[reason].grpc_status.name


def test_an_unknown_peer_error_is_internal() -> None:
    assert from_status(Status(code=3, message="x")).reason is Reason.INTERNAL


def rpc_error(code: grpc.StatusCode, *trailing: tuple[str, bytes]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing))


def test_bare_statuses_of_grpc_have_reasons() -> None:
    assert from_rpc_error(rpc_error(grpc.StatusCode.UNAVAILABLE)).reason is Reason.PEER_UNREACHABLE
    assert from_rpc_error(rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED)).reason is Reason.DEADLINE_EXCEEDED
    assert from_rpc_error(rpc_error(grpc.StatusCode.UNKNOWN)).reason is Reason.INTERNAL


def test_error_info_goes_before_the_bare_status() -> None:
    status = to_status(DomainError(Reason.LEASE_REFUSED, "no")).SerializeToString()
    error = rpc_error(grpc.StatusCode.UNAVAILABLE, (STATUS_DETAILS_KEY, status))
    assert from_rpc_error(error).reason is Reason.LEASE_REFUSED


def test_when_to_try_again_is_told() -> None:
    status = to_status(DomainError(Reason.RATE_LIMITED, "no", retry_after=1.5))
    info = RetryInfo()
    assert status.details[1].Unpack(info)
    assert info.retry_delay.ToMilliseconds() == 1_500
    assert from_status(status).reason is Reason.RATE_LIMITED


def test_it_crosses_to_another_process_whole() -> None:
    error = DomainError(Reason.INVARIANT, "no", field="Patient.name", metadata={"version": "2"}, retry_after=1.5)
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, again.message, again.field) == (error.reason, "no", "Patient.name")
    assert (again.metadata, again.retry_after) == ({"version": "2"}, 1.5)
