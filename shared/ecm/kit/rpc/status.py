"""Errors on the wire of gRPC: status code and the trailing metadata with `google.rpc.Status`."""

from typing import Any

import grpc
from google.rpc.status_pb2 import Status

from ecm.kit.errors import DomainError, Reason, from_status, to_status

STATUS_DETAILS_KEY = "grpc-status-details-bin"

_WITHOUT_INFO = {
    grpc.StatusCode.UNAVAILABLE: Reason.PEER_UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED: Reason.PEER_UNREACHABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Reason.TOO_LARGE,
    grpc.StatusCode.UNIMPLEMENTED: Reason.NOT_SUPPORTED,
}


def status_code(error: DomainError) -> grpc.StatusCode:
    """The error's code as grpc names it."""
    return grpc.StatusCode[error.entry.grpc_status.name]


def send_error(context: Any, error: DomainError) -> None:
    """Makes the call end with the error, once its handler returns (anything).

    Not by `context.abort`: grpc.aio's `stop()` isn't graceful after one.
    """
    context.set_code(status_code(error))
    context.set_details(error.message)
    context.set_trailing_metadata(((STATUS_DETAILS_KEY, to_status(error).SerializeToString()),))


def from_rpc_error(error: grpc.aio.AioRpcError) -> DomainError:
    """The domain error behind a failed call, by its ErrorInfo, else by its bare status."""
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            return from_status(Status.FromString(value))
    reason = _WITHOUT_INFO.get(error.code(), Reason.INTERNAL)
    return DomainError(reason, f"The call ended with {error.code().name}.")
