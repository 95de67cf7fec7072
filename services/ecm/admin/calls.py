"""Calls of a service's RPCs by one of the people, for the command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import grpc
import grpc.aio

from ecm.admin.errors import OperatorError

SECONDS = 15.0

Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token, calling one service."""

    service: str
    token: str

    async def ask(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request, *, key: str = ""
    ) -> Response:
        """The answer. `key` is the idempotency key of a command. Raises `OperatorError` in the service's words."""
        metadata = [("authorization", f"Bearer {self.token}")]
        if key:
            metadata.append(("idempotency-key", key))
        try:
            return await method(request, timeout=SECONDS, metadata=tuple(metadata))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise OperatorError(
                    f"{self.service} doesn't answer: {error.details()}",
                    f"Look with ecm status and ecm logs {self.service}.",
                ) from error
            raise OperatorError(f"{self.service} refused ({error.code().name}): {error.details()}") from error


@asynccontextmanager
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a service on this machine."""
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as opened:
        yield opened
