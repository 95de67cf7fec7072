"""Large bodies are handed over in chunks, each decided anew: a withdrawal ends a transfer in its midst.

A chunk is 1 MiB, or what is handed over within 0.9 s: with the time that the last
piece may wait for the client (`ecm.exchange.http.connection`) its last byte has left
within 2 s of its commit. A refused one resets the connection: the client sees a body
shorter than its Content-Length.
"""

import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ecm.exchange.api.errors import FHIR_JSON
from ecm.kit.errors import DomainError
from ecm.kit.telemetry import logger

CHUNK_BYTES = 1_048_576
CHUNK_SECONDS = 0.9
PIECE_BYTES = 65_536

_FHIR_JSON = (b"content-type", FHIR_JSON.encode())
Again = Callable[[], Awaitable[bool]]
"""Asks once more, audited: whether all that stands in the body is still open."""


class HandedOver(Response):
    """An answer with a body that may be large."""

    def __init__(self, body: bytes, headers: Mapping[str, str], again: Again, status: int = 200) -> None:
        # Not by the framework's own way: it searches through the headers for each that it would add.
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [
            *((name.encode(), value.encode("latin-1")) for name, value in headers.items()),
            (b"content-length", str(len(body)).encode()),
            _FHIR_JSON,
        ]
        self._again = again
        self._decided = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """At once where it is small; else in pieces, so that nothing waits in our own buffers behind a slow client."""
        if len(self.body) <= PIECE_BYTES or scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._pieces(memoryview(self.body), send)

    async def _pieces(self, body: memoryview, send: Send) -> None:
        decided, since = self._decided, 0
        for start in range(0, len(body), PIECE_BYTES):
            # Waits while the client takes what was sent before: what follows is decided after that.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            if start - since >= CHUNK_BYTES or time.monotonic() - decided >= CHUNK_SECONDS:
                await self._decide(start)
                decided, since = time.monotonic(), start
            piece = bytes(body[start : start + PIECE_BYTES])
            await send({"type": "http.response.body", "body": piece, "more_body": start + len(piece) < len(body)})

    async def _decide(self, start: int) -> None:
        try:
            still = await self._again()
        except DomainError:
            still = False
        if not still:
            logger().info("http.transfer_ended", bytes=start)
            raise TransferEndedError


class TransferEndedError(Exception):
    """The rest may not leave; the server resets the connection."""
