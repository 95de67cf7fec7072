"""Calling another service: token, trace, deadline, and errors in the domain's words."""

import asyncio
import time
from typing import Any, Self, TypeVar

import grpc
import httpx
from google.protobuf.message import Message

from ecm.api.common.v1.actor_pb2 import Actor
from ecm.kit.auth.tokens import TokenSource
from ecm.kit.call import call_or_none
from ecm.kit.clock import Clock
from ecm.kit.errors import DomainError, GrpcStatus, Reason
from ecm.kit.metrics import PEER_CALLS
from ecm.kit.names import service_client
from ecm.kit.rpc.metadata import ACTOR, AUTHORIZATION, IDEMPOTENCY_KEY, TRACEPARENT
from ecm.kit.rpc.status import from_rpc_error
from ecm.kit.settings import ServiceSettings
from ecm.kit.telemetry import logger
from ecm.kit.trace import current_trace

CALL_SECONDS = 5.0
RESERVE_SECONDS = 0.2
"""Kept of our own caller's deadline, to answer in."""
LARGEST_MESSAGE = 32 * 1024 * 1024

OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    # gRPC would wait for up to two minutes before it tries a peer that was away.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # A ping without an answer would else be waited for for a minute.
    ("grpc.http2.ping_timeout_ms", 5_000),
    # Between calls too: else a connection that is gone without a word fails one call after the other.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Connections to the same address from two peers of one process stay apart.
    ("grpc.use_local_subchannel_pool", 1),
)

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
Metadata = tuple[tuple[str, str | bytes], ...]


class Peer:
    """Another service, as this one calls it. The channel connects at the first call."""

    def __init__(
        self,
        address: str,
        settings: ServiceSettings,
        audience: str,
        *,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._tokens = TokenSource(settings, audience, http=http, clock=clock)
        self.channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._name = audience

    @classmethod
    def of(
        cls,
        service: str,
        settings: ServiceSettings,
        *,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """A service of the region, by its short name, at the address in the settings."""
        return cls(settings.address_of(service), settings, service_client(service), http=http, clock=clock)

    async def call(
        self,
        stub_method: grpc.aio.UnaryUnaryMultiCallable[Q, A],
        request: Q,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109  gRPC's own name and meaning
        idempotency_key: str | None = None,
        actor: Actor | None = None,
    ) -> A:
        """The peer's answer, within `timeout` seconds and our own caller's deadline.

        Raises the peer's DomainError; PEER_UNREACHABLE or DEADLINE_EXCEEDED where it doesn't answer. That it
        doesn't take our token is no refusal of what was asked: PEER_UNREACHABLE too.
        """
        deadline = time.monotonic() + _bounded(timeout)
        about = _about(idempotency_key, actor)
        token = await self._token(deadline)
        try:
            return await self._once(stub_method, request, deadline, token, about)
        except DomainError as error:
            if not _is_of_our_token(error):
                raise
        # The issuer may have changed its keys: a new token, once.
        self._tokens.forget(token)
        token = await self._token(deadline)
        try:
            return await self._once(stub_method, request, deadline, token, about)
        except DomainError as error:
            raise self._unknown(error) if _is_of_our_token(error) else error from None

    def _unknown(self, error: DomainError) -> DomainError:
        logger(part=self._name).warning("peer.token_refused", reason=error.reason)
        return DomainError(
            Reason.PEER_UNREACHABLE, f"{self._name} doesn't take this service's token; see to clocks and issuer."
        )

    async def close(self) -> None:
        """Ends the connection and the token source."""
        await self.channel.close()
        await self._tokens.close()

    async def _once(
        self,
        stub_method: grpc.aio.UnaryUnaryMultiCallable[Q, A],
        request: Q,
        deadline: float,
        token: str,
        about: Metadata,
    ) -> A:
        trace = current_trace().child().traceparent
        metadata = ((AUTHORIZATION, f"Bearer {token}"), (TRACEPARENT, trace), *about)
        return await self._send(stub_method, request, deadline - time.monotonic(), metadata)

    async def _token(self, deadline: float) -> str:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await self._tokens.token()
        except TimeoutError:
            raise DomainError(Reason.PEER_UNREACHABLE, "The issuer gave no token in time.") from None

    async def _send(
        self, stub_method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, seconds: float, metadata: Any
    ) -> A:
        code = grpc.StatusCode.OK
        try:
            return await stub_method(request, timeout=max(seconds, 0.001), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            code = error.code()
            raise from_rpc_error(error) from None
        finally:
            PEER_CALLS.labels(self._name, code.name).inc()


def _about(idempotency_key: str | None, actor: Actor | None) -> Metadata:
    key = () if idempotency_key is None else ((IDEMPOTENCY_KEY, idempotency_key),)
    return key if actor is None else (*key, (ACTOR, actor.SerializeToString()))


def _is_of_our_token(error: DomainError) -> bool:
    return error.entry.grpc_status is GrpcStatus.UNAUTHENTICATED


def _bounded(timeout: float) -> float:
    call = call_or_none()
    if call is None:
        return timeout
    return max(min(timeout, call.remaining() - RESERVE_SECONDS), 0.001)
