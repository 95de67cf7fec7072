"""One HTTP connection, bounded: how large a head may be, how long a client may keep us waiting.

uvicorn's protocol for httptools has no such bounds: a head grows without end, and half a request holds its
connection for ever.
"""

import asyncio
from typing import Any, Final, Protocol
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from ecm.exchange.api.errors import FHIR_JSON, issue, outcome
from ecm.exchange.http.cycle import Cycle
from ecm.kit.errors import Reason
from ecm.kit.metrics import HTTP_TURNED_AWAY

LARGEST_HEAD: Final = 65_536
"""Bytes of request line and headers together; of a chunk's own line; of what follows the last chunk."""
MOST_PIPELINED: Final = 16
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 60.0
TAKING_SECONDS: Final = 0.7
"""How long what was written may wait here for the client to take it: what was decided must leave within 2 s."""
REST_SECONDS: Final = 75.0
"""How long a connection may stay open with nothing asked."""

_MALFORMED, _TOO_LARGE, _SLOW = (HTTP_TURNED_AWAY.labels(why) for why in ("malformed", "too_large", "slow"))
_LARGE = f"Request line and headers have more than {LARGEST_HEAD} bytes."
# By whether it is too large.
_REFUSALS = {
    False: (400, outcome([issue("error", Reason.INVALID_VALUE, "This isn't an HTTP request.")]), _MALFORMED),
    True: (431, outcome([issue("error", Reason.TOO_LARGE, _LARGE)]), _TOO_LARGE),
}


class Open(Protocol):
    """Those that are open; which of them is one too many."""

    def enter(self, connection: "Connection", address: str) -> bool:
        """Whether it may stay."""
        ...

    def leave(self, connection: "Connection", address: str) -> None:
        """It is closed."""
        ...


class Connection(HttpToolsProtocol):
    """One of them."""

    def __init__(self, connections: Open, **given: Any) -> None:
        super().__init__(**given)
        self._all = connections
        self._address = ""
        self._in_head = True
        # What has come that isn't body: the parser gathers it.
        self._gathered = 0
        self._read_bytes = 0
        self._too_large = False
        # Of those in the pipeline the one that is being answered.
        self._served: RequestResponseCycle | None = None
        # What is waited for, and since when: seconds that it may take, 0 for nothing.
        self._patience = 0.0
        self._since = 0.0
        self._at_rest = False
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
        self.pipeline.clear()
        if self._served is not None and not self._served.response_complete:
            self._served.disconnected = True
            self._served.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parses. What isn't HTTP, or has too large a head, is refused and hung up on, without a line in the log."""
        self._read_bytes = len(data)
        self._gathered += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse()
        else:
            if self._gathered > LARGEST_HEAD:
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

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of the head's. What follows the last chunk isn't (RFC 9110, 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The request's head is whole. ValueError, which ends the connection, where it or the queue is too long."""
        come = max(self._gathered, self._read_bytes)
        self._too_large = come > LARGEST_HEAD and _size(self.url, self.headers) > LARGEST_HEAD
        if self._too_large or len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("More than is taken.")
        self._tell_scope()
        self._in_head = False
        self._wait(BODY_SECONDS)
        self._begin()

    def _tell_scope(self) -> None:
        """The rest of the ASGI scope: what the request line says."""
        version, url = self.parser.get_http_version(), httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""

    def _begin(self) -> None:
        """Serves the request, or puts it behind the one that is served."""
        before = self.cycle
        self.cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=self.scope["http_version"] != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._serve(self.cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _serve(self, cycle: RequestResponseCycle) -> None:
        self._served = cycle
        self._start_asgi_task(cycle, self.app)

    def on_chunk_header(self) -> None:
        """A chunk of the body begins."""
        self._gathered = 0

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._gathered = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """The next in the queue is served; or the connection rests, looked after by `watch`, without a timer of its
        own."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._serve(self.pipeline.pop()[0])
        elif not self._patience:
            self._rest()

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self._gathered, self._patience = 0, 0.0
        if self.cycle.response_complete:
            # It was answered before it was whole.
            self._rest()

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
        if late and self._at_rest:
            self.transport.close()
        elif late or untaken:
            _SLOW.inc()
            self.transport.abort()

    def _wait(self, seconds: float) -> None:
        self._patience, self._since, self._at_rest = seconds, self.loop.time(), False

    def _rest(self) -> None:
        self._wait(REST_SECONDS)
        self._at_rest = True

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
