"""HTTP connections, bounded: how large a head may be, how long a client may keep us waiting, how many one address has.

uvicorn's protocol for httptools has no such bounds: a head grows without end, and half a request holds its
connection for ever.
"""

import asyncio
from collections import Counter
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ecm.exchange.api.errors import FHIR_JSON, issue, outcome
from ecm.kit.errors import Reason
from ecm.kit.metrics import HTTP_TURNED_AWAY

LARGEST_HEAD: Final = 65_536
"""Bytes of request line and headers together."""
MOST_PIPELINED: Final = 16
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 60.0
TAKING_SECONDS: Final = 0.7
"""How long what was written may wait here for the client to take it: what was decided must leave within 2 s."""
LOOK_SECONDS: Final = 0.25

_MALFORMED, _TOO_LARGE, _CONNECTIONS, _SLOW = (
    HTTP_TURNED_AWAY.labels(why) for why in ("malformed", "too_large", "connections", "slow")
)
_LARGE = f"Request line and headers have more than {LARGEST_HEAD} bytes."
# By whether it is too large.
_REFUSALS = {
    False: (400, outcome([issue("error", Reason.INVALID_VALUE, "This isn't an HTTP request.")]), _MALFORMED),
    True: (431, outcome([issue("error", Reason.TOO_LARGE, _LARGE)]), _TOO_LARGE),
}


class Connections:
    """All that are open. `per_address` 0 is no limit, e.g. where a proxy stands before the exchange."""

    def __init__(self, per_address: int) -> None:
        self._most = per_address
        self._by_address: Counter[str] = Counter()
        self._open: set[Connection] = set()

    def protocol(self, **given: Any) -> "Connection":
        """A connection, as uvicorn makes them."""
        return Connection(self, **given)

    def enter(self, connection: "Connection", address: str) -> bool:
        """Whether it is one more than its address may have; then it is turned away."""
        if self._most and self._by_address[address] >= self._most:
            _CONNECTIONS.inc()
            return False
        self._by_address[address] += 1
        self._open.add(connection)
        return True

    def leave(self, connection: "Connection", address: str) -> None:
        """It is closed."""
        if connection in self._open:
            self._open.remove(connection)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    async def watch(self) -> None:
        """Ends those that keep us waiting, until cancelled: one timer for all."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for connection in tuple(self._open):
                connection.check()


class Connection(HttpToolsProtocol):
    """One of them."""

    def __init__(self, connections: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._all = connections
        self._address = ""
        # Of the head that is coming in: how much of it has come.
        self._in_head = True
        self._head_bytes = 0
        self._too_large = False
        # What is waited for, and since when: seconds that it may take, 0 for nothing.
        self._patience = 0.0
        self._since = 0.0
        self._untaken_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Lets it in, or hangs up."""
        super().connection_made(transport)
        # Nothing is kept here behind a slow client: what the socket doesn't take at once is waited for.
        transport.set_write_buffer_limits(high=0)
        self._address = self.client[0] if self.client else ""
        self._wait(HEAD_SECONDS)
        if not self._all.enter(self, self._address):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever closed it."""
        super().connection_lost(exc)
        self._all.leave(self, self._address)

    def data_received(self, data: bytes) -> None:
        """Parses. What isn't HTTP, or has too large a head, is refused and hung up on, without a line in the log."""
        self._unset_keepalive_if_required()
        self._head_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse()
        else:
            if self._in_head and self._head_bytes > LARGEST_HEAD:
                self._too_large = True
                self._refuse()

    def _parse(self, data: bytes) -> None:
        """An upgrade is ignored (RFC 9110, 7.8): what comes behind it is the next request."""
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head = True
        self._wait(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """The request's head is whole. ValueError, which ends the connection, where it or the queue is too long."""
        self._too_large = self._head_bytes > LARGEST_HEAD and _size(self.url, self.headers) > LARGEST_HEAD
        if self._too_large or len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("More than is taken.")
        super().on_headers_complete()
        self._in_head = False
        self._wait(BODY_SECONDS)

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self._head_bytes, self._patience = 0, 0.0

    def pause_writing(self) -> None:
        """The client doesn't take what was sent."""
        super().pause_writing()
        self._untaken_since = self.loop.time()

    def resume_writing(self) -> None:
        """It goes on."""
        super().resume_writing()
        self._untaken_since = None

    def check(self) -> None:
        """Hangs up on a client that has kept us waiting for too long."""
        now = self.loop.time()
        if self.flow.read_paused:
            # It is we who don't read.
            self._since = now
        late = self._patience and now - self._since > self._patience
        untaken = self._untaken_since is not None and now - self._untaken_since > TAKING_SECONDS
        if late or untaken:
            _SLOW.inc()
            self.transport.abort()

    def _wait(self, seconds: float) -> None:
        self._patience, self._since = seconds, self.loop.time()

    def _refuse(self) -> None:
        """Says why, unless an answer is under way: nothing may come between its bytes."""
        if self.transport.is_closing():
            return
        status, body, counter = _REFUSALS[self._too_large]
        counter.inc()
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()
            return
        head = f"content-type: {FHIR_JSON}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()


def _size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) for name, value in headers)
