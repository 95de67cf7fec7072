"""Errors in the domain's words, and their one translation to and from `google.rpc.Status`.

Nothing here imports grpc, so that rules may raise these errors; `ecm.kit.rpc.status` does the rest.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from ecm.kit.reasons import CATALOG, CatalogEntry, GrpcStatus, Reason

__all__ = ["CATALOG", "DOMAIN", "CatalogEntry", "DomainError", "GrpcStatus", "Reason", "from_status", "to_status"]

DOMAIN = "ecm-exchange"
_NO_METADATA: Mapping[str, str] = MappingProxyType({})


class DomainError(Exception):
    """A refusal: its reason, and in words what is wrong and what to do.

    Raised where the fault is known. The message may be shown to the caller: it
    names fields and ids, never a person's details.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        field: str = "",
        metadata: Mapping[str, str] = _NO_METADATA,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
        self.metadata = dict(metadata)
        # Seconds after which the same may be tried again, where that is known.
        self.retry_after = retry_after

    @property
    def entry(self) -> CatalogEntry:
        """What the catalogue makes of the reason."""
        return CATALOG[self.reason]

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later, with nothing changed."""
        return self.entry.retryable

    def __reduce__(self) -> tuple[object, ...]:
        """Crosses to another process whole."""
        made = partial(DomainError, field=self.field, metadata=self.metadata, retry_after=self.retry_after)
        return made, (self.reason, self.message)

    def __repr__(self) -> str:
        return f"DomainError({self.reason}, field={self.field!r})"


def to_status(error: DomainError) -> Status:
    """The error as gRPC sends it: code, message, one ErrorInfo, and a RetryInfo where it's known when to try again."""
    info = ErrorInfo(domain=DOMAIN, reason=error.reason.value, metadata=error.metadata)
    if error.field:
        info.metadata["field"] = error.field
    status = Status(code=error.entry.grpc_status.value, message=error.message)
    status.details.add().Pack(info)
    if error.retry_after:
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after * 1e9))
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    return status


def from_status(status: Status) -> DomainError:
    """The error that `to_status` wrote; INTERNAL where no ErrorInfo of ours is inside."""
    for detail in status.details:
        info = ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN and info.reason in Reason.__members__:
            metadata = dict(info.metadata)
            field = metadata.pop("field", "")
            return DomainError(Reason(info.reason), status.message, field=field, metadata=metadata)
    return DomainError(Reason.INTERNAL, f"The peer failed with gRPC status {status.code}.")
