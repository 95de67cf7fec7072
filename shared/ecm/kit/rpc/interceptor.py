"""The door of every gRPC method: who calls, may they, until when; and every error translated in one place."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import DecodeError

from ecm.api.common.v1.actor_pb2 import Actor
from ecm.kit.auth.policy import Rule, check
from ecm.kit.auth.principal import PrincipalKind, principal_of
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.bounds import check_request
from ecm.kit.call import Call, answering
from ecm.kit.errors import DomainError, Reason
from ecm.kit.metrics import RPC_CALLS, RPC_LIMITED, RPC_SECONDS
from ecm.kit.rates import Rates
from ecm.kit.region import Region
from ecm.kit.rpc.metadata import ACTOR, AUTHORIZATION, TRACEPARENT, bearer, idempotency_key, text_value
from ecm.kit.rpc.status import send_error, status_code
from ecm.kit.telemetry import logger
from ecm.kit.trace import Trace, with_trace

LONGEST_SECONDS = 10.0
"""The server's own bound, for calls without a deadline or with a longer one."""
OPEN_SERVICES = ("/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/")
"""What everybody may call without a token."""

UNREADABLE: Final = object()
"""Stands for a request that can't be read, until it is known whether its sender may know."""

T = TypeVar("T")
Metadata = Mapping[str, str | bytes]
Inner = Callable[[Any, Any], Awaitable[Any]]


@dataclass(slots=True)
class Visit:
    """One call on its way through the door, and how it ended."""

    method: str
    metadata: Metadata
    trace: Trace
    started: float
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    azp: str = ""

    def tell(self) -> None:
        """One line and the metrics. No ids of the request, no message: those may be personal."""
        seconds = time.monotonic() - self.started
        RPC_CALLS.labels(self.method, self.code.name).inc()
        RPC_SECONDS.labels(self.method).observe(seconds)
        line = {"method": self.method, "code": self.code.name, "ms": round(seconds * 1000, 1), "azp": self.azp}
        logger().info("call", **line, **({"reason": self.reason} if self.reason else {}))


class AuthInterceptor(grpc.aio.ServerInterceptor):
    """Admits calls by token and policy; `policy` is by full method name (`ecm.kit.auth.policy.by_full_name`).

    Errors leave by status code and trailing metadata, never by `context.abort`:
    grpc.aio's `stop()` isn't graceful after an abort.
    """

    def __init__(self, policy: Mapping[str, Rule], verifier: TokenVerifier, region: Region, rates: Rates) -> None:
        self._policy = policy
        self._verifier = verifier
        self._region = region
        self._rates = rates

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler; a method unknown to the server is left UNIMPLEMENTED."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(OPEN_SERVICES):
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._guarded(method, handler.unary_unary),
            request_deserializer=_reading(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    def _guarded(self, method: str, inner: Inner | None) -> Inner:
        async def call(request: Any, context: Any) -> Any:
            metadata = dict(context.invocation_metadata() or ())
            with with_trace(text_value(metadata, TRACEPARENT)) as trace:
                visit = Visit(method, metadata, trace, time.monotonic())
                try:
                    return await self._answer(visit, inner, request, context)
                except asyncio.CancelledError:
                    visit.code = grpc.StatusCode.CANCELLED
                    raise
                except Exception as error:
                    _refuse(context, visit, _domain_error(error, trace))
                    return None
                finally:
                    visit.tell()

        return call

    async def _answer(self, visit: Visit, inner: Inner | None, request: Any, context: Any) -> Any:
        seconds = _bound(context)
        async with asyncio.timeout(seconds):
            call = await self._admit(visit, visit.started + seconds)
            if inner is None:
                raise DomainError(Reason.NOT_SUPPORTED, "Only unary methods are served.")
            if request is UNREADABLE:
                raise DomainError(Reason.INVALID_VALUE, "The request's bytes aren't a message of its type.")
            if call.principal.kind is not PrincipalKind.SERVICE:
                # A service may be newer than this one, and know codes that this one learns later.
                check_request(request)
            with answering(call):
                return await inner(request, context)

    async def _admit(self, visit: Visit, deadline: float) -> Call:
        claims = await self._verifier.verify(bearer(text_value(visit.metadata, AUTHORIZATION)))
        visit.azp = claims.azp
        principal = principal_of(claims, _actor(visit.metadata), self._region)
        if principal.kind is PrincipalKind.PERSON:
            self._slow_down(principal.key)
        entry = check(self._policy.get(visit.method), principal, self._region)
        key = idempotency_key(visit.metadata) if entry.command else ""
        return Call(visit.method, principal, entry, deadline, key)

    def _slow_down(self, name: str) -> None:
        """RATE_LIMITED for a person; services are our own, and a partner is held back where it comes in."""
        late = self._rates.take(name)
        if late:
            RPC_LIMITED.inc()
            raise DomainError(Reason.RATE_LIMITED, "You call too often; wait, then go on.", retry_after=late)


def _reading(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """grpc would answer UNKNOWN, with the error's own words, to bytes that are no message: we answer them ourselves."""
    if deserialize is None:
        return None

    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return UNREADABLE

    return read


def _bound(context: Any) -> float:
    """Seconds that this call may take."""
    remaining: float | None = context.time_remaining()
    return LONGEST_SECONDS if remaining is None else min(remaining, LONGEST_SECONDS)


def _actor(metadata: Metadata) -> Actor | None:
    value = metadata.get(ACTOR)
    if value is None:
        return None
    try:
        return Actor.FromString(value if isinstance(value, bytes) else value.encode())
    except DecodeError:
        raise DomainError(Reason.INVALID_VALUE, f"{ACTOR} isn't an Actor message.", field=ACTOR) from None


def _domain_error(error: Exception, trace: Trace) -> DomainError:
    if isinstance(error, DomainError):
        return error
    if isinstance(error, TimeoutError):
        return DomainError(
            Reason.DEADLINE_EXCEEDED, "The deadline passed; a command may be repeated with the same key."
        )
    # The fault's message may quote values: the log tells its class and place, the caller only the trace.
    logger().error("call.failed", exc_info=error)
    message = "A fault on our side; quote the trace id."
    return DomainError(Reason.INTERNAL, message, metadata={"trace_id": trace.trace_id})


def _refuse(context: Any, visit: Visit, error: DomainError) -> None:
    visit.code, visit.reason = status_code(error), error.reason.value
    send_error(context, error)
