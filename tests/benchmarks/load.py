"""Load: kept connections that ask again as soon as they are answered, from one process, cheaply."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

CONNECTIONS = 16
_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass
class Round:
    """What one round gave."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


class _Asking(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes], until: float, latencies: list[float]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests, self._until, self._latencies = requests, until, latencies
        self._transport: asyncio.WriteTransport
        # Of the answer in hand: what has come of its head; then how much of its body is missing.
        self._head, self._missing, self._began = b"", -1, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            data = self._head + data
            end = data.find(_END)
            if end < 0:
                self._head = data
                return
            if not data.startswith(b"HTTP/1.1 200"):
                self.done.set_exception(RuntimeError(f"Not answered: {data[:2_000]!r}"))
                self._transport.close()
                return
            start = data.lower().index(_LENGTH, 0, end + 4) + len(_LENGTH)
            self._missing = end + 4 + int(data[start : data.index(b"\r", start)])
        self._missing -= len(data)
        if self._missing == 0:
            self._latencies.append(time.perf_counter() - self._began)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("The server hung up."))

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._until:
            self.done.set_result(None)
            self._transport.close()
            return
        self._head, self._missing = b"", -1
        self._transport.write(next(self._requests))


async def load(port: int, paths: Sequence[str], token: str, seconds: float) -> Round:
    """Asks for the paths in turn."""
    head = f" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    requests = [f"GET {path}{head}".encode() for path in paths]
    began, made = time.perf_counter(), Round()
    loop, asking = asyncio.get_running_loop(), []
    for number in range(CONNECTIONS):
        mine = itertools.islice(itertools.cycle(requests), number * len(requests) // CONNECTIONS, None)
        _, protocol = await loop.create_connection(
            lambda mine=mine: _Asking(mine, began + seconds, made.latencies), "127.0.0.1", port
        )
        asking.append(protocol)
    await asyncio.gather(*(one.done for one in asking))
    made.seconds = time.perf_counter() - began
    return made
