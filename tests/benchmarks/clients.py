"""Calls of the services' RPCs as fast as they are answered: one connection, one token, a key for each command."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from google.protobuf.message import Message

from ecm.api.common.v1.actor_pb2 import Actor
from ecm.kit.rpc.metadata import ACTOR, AUTHORIZATION, IDEMPOTENCY_KEY
from ecm.local.stack import Stack

SECONDS = 15.0


class Client:
    """`client.command("AddTimelineEntry", request)` answers the response; grpc.aio.AioRpcError where it is refused."""

    def __init__(self, stub: Any, token: str, actor: Actor | None) -> None:
        self._stub = stub
        self._token = token
        self._actor = actor

    async def command(self, method: str, request: Message) -> Any:
        """One command, new each time."""
        metadata: list[tuple[str, str | bytes]] = [
            (AUTHORIZATION, f"Bearer {self._token}"),
            (IDEMPOTENCY_KEY, str(uuid.uuid4())),
        ]
        if self._actor is not None:
            metadata.append((ACTOR, self._actor.SerializeToString()))
        return await getattr(self._stub, method)(request, metadata=tuple(metadata), timeout=SECONDS)


@asynccontextmanager
async def calling(
    stack: Stack, service: str, stub: Any, *, person: str = "", actor: Actor | None = None
) -> AsyncIterator[Client]:
    """A client of a service: a person's, or the exchange's on behalf of `actor`."""
    token = stack.token(person=person) if person else stack.token(client="ecm-exchange", audience=f"ecm-{service}")
    options = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(stack.addresses[service], options=options) as channel:
        yield Client(stub(channel), token, actor)
