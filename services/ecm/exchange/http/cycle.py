"""One request and its answer, as uvicorn runs them; a head and the whole of a body leave in one write.

uvicorn writes the head, then the body: two system calls, and the client wakes twice.
"""

from collections.abc import Sequence
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_PRINTED: Final = bytes({*range(0x20, 0x7F), *range(0x80, 0x100), 0x09})
"""What may stand in the lines of a head."""
_END: Final = b"\r\n"
_OF_THE_CONNECTION: Final = frozenset({b"connection", b"transfer-encoding"})


class Cycle(RequestResponseCycle):
    """Keeps the start of an answer until there is a body to go with it."""

    _start: Any = None

    async def send(self, message: Any) -> None:
        """Writes what is whole at once; anything else as uvicorn does."""
        if message["type"] == "http.response.start" and not self.response_started:
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if self._at_once(start, message):
                return
            await super().send(start)
        await super().send(message)

    def _at_once(self, start: Any, message: Any) -> bool:
        """Whether it was all, and is written."""
        body: bytes = message.get("body", b"")
        if message.get("more_body") or not self.keep_alive or self.flow.write_paused or self.disconnected:
            return False
        headers: Sequence[tuple[bytes, bytes]] = start["headers"]
        if self.scope["method"] == "HEAD" or (b"content-length", b"%d" % len(body)) not in headers:
            return False
        if any(name in _OF_THE_CONNECTION for name, _ in headers):
            return False
        head = _head(start["status"], (*self.default_headers, *headers))
        self.transport.write(head + body)
        self.waiting_for_100_continue = False
        self.response_started = self.response_complete = True
        self.message_event.set()
        self.on_response()
        return True


def _head(status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Status and headers. RuntimeError where one of them would begin another line, or the body."""
    parts = [STATUS_LINE[status]]
    for name, value in headers:
        parts += (name, b": ", value, _END)
    parts.append(_END)
    head = b"".join(parts)
    if head.translate(None, _PRINTED) != _END * (len(headers) + 2):
        raise RuntimeError("Invalid HTTP header.")
    return head
