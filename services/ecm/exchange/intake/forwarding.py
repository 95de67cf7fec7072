"""One write, one command of `formulation`, on the partner's behalf."""

import hashlib
import re
from typing import Any

from google.protobuf.message import Message

from ecm.api.common.v1.actor_pb2 import Actor
from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1.formulation_service_pb2_grpc import FormulationServiceStub
from ecm.exchange.intake.context import Writer
from ecm.kit.errors import DomainError, Reason
from ecm.kit.rpc.channel import Peer

SERVICE = "formulation"
COMMAND_SECONDS = 8.0
_KEY = re.compile(r"^[\x21-\x7e]{8,128}$")


class Forwarding:
    """Sends commands to `formulation` with the exchange's own token and the partner as Actor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub: Any = FormulationServiceStub(peer.channel)

    async def command(self, rpc: str, request: Message, writer: Writer, key: str) -> RecordRef:
        """Which record, at which version. Raises the owner's own refusal, or PEER_UNREACHABLE."""
        actor = Actor(agency=writer.agency, client=writer.client, practitioner=writer.author)
        method = getattr(self._stub, rpc)
        answer = await self._peer.call(method, request, timeout=COMMAND_SECONDS, idempotency_key=key, actor=actor)
        ref: RecordRef = answer.ref
        return ref


def idempotency_key(header: str | None, *, client: str, route: str, body: bytes, if_match: str | None = None) -> str:
    """The client's key, or a digest of what it sent: the same again is the same command.

    IDEMPOTENCY_KEY_MISSING for a malformed one.
    """
    if header is not None:
        if not _KEY.match(header):
            message = "An Idempotency-Key has 8 to 128 visible ASCII characters."
            raise DomainError(Reason.IDEMPOTENCY_KEY_MISSING, message, field="Idempotency-Key")
        return header
    digest = hashlib.sha256(b"\x1f".join((client.encode(), route.encode(), (if_match or "").encode(), body)))
    return f"digest-{digest.hexdigest()}"
