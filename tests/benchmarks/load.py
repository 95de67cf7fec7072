"""Load: kept connections that ask again as soon as they are answered, from one process, cheaply. For every server."""

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

CONNECTIONS = 16
_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_LAST_CHUNK = b"0\r\n\r\n"
_NEXT = re.compile(rb'"relation"\s*:\s*"next"\s*,\s*"url"\s*:\s*"https?://[^/"]+(/[^"]+)"')
_CHUNKED = -2
_HEAD = -1

Requests = Callable[[int], Iterator[bytes]]
"""What one connection, by its number, asks for: whole requests, without end."""
Follow = Callable[[bytes], bytes]
"""The request for a page, by its path."""


@dataclass
class Round:
    """What one round gave; `cpu` is the load's own, in seconds."""

    seconds: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


def in_turn(requests: Sequence[bytes]) -> Requests:
    """All of them again and again; the connections begin apart."""

    def mine(number: int) -> Iterator[bytes]:
        return itertools.islice(itertools.cycle(requests), number * len(requests) // CONNECTIONS, None)

    return mine


class _Asking(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes], until: float, latencies: list[float], follow: Follow | None) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests, self._until, self._latencies, self._follow = requests, until, latencies, follow
        self._transport: asyncio.WriteTransport
        # Of the answer in hand: what has come of its head; then how much of its body is missing.
        self._head, self._missing, self._began = b"", _HEAD, 0.0
        # Its body, where that names the next page.
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._missing == _HEAD:
            data = self._head + data
            end = data.find(_END) + len(_END)
            if end < len(_END):
                self._head = data
                return
            if not data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
                self._fail(RuntimeError(f"Not answered: {data[:2_000]!r}"))
                return
            self._begin(data, end)
        if self._follow:
            self._body.append(data)
        if self._missing == _CHUNKED:
            whole = data.endswith(_LAST_CHUNK)
        else:
            self._missing -= len(data)
            whole = self._missing == 0
        if whole:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("The server hung up."))

    def _begin(self, data: bytes, end: int) -> None:
        """How long the body is."""
        at = data[:end].lower().find(_LENGTH)
        if at < 0:
            self._missing = _CHUNKED
        else:
            start = at + len(_LENGTH)
            self._missing = end + int(data[start : data.index(b"\r", start)])

    def _answered(self) -> None:
        page = _NEXT.search(b"".join(self._body)) if self._follow else None
        self._body.clear()
        self._head, self._missing = b"", _HEAD
        if page and self._follow:
            self._transport.write(self._follow(page[1]))
            return
        self._latencies.append(time.perf_counter() - self._began)
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._until:
            self.done.set_result(None)
            self._transport.close()
            return
        self._transport.write(next(self._requests))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
        self._transport.close()


async def load(port: int, requests: Requests, seconds: float, follow: Follow | None = None) -> Round:
    """Asks for `seconds`. With `follow`, an answer is whole with its last page."""
    began, cpu, made = time.perf_counter(), time.process_time(), Round()
    loop, asking = asyncio.get_running_loop(), []
    for number in range(CONNECTIONS):
        mine = requests(number)
        _, protocol = await loop.create_connection(
            lambda mine=mine: _Asking(mine, began + seconds, made.latencies, follow), "127.0.0.1", port
        )
        asking.append(protocol)
    await asyncio.gather(*(one.done for one in asking))
    made.seconds, made.cpu = time.perf_counter() - began, time.process_time() - cpu
    return made
