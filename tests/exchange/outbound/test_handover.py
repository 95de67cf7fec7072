"""Large bodies over a real socket: what was decided leaves within two seconds, or not at all."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ecm.exchange.api import handover
from ecm.exchange.api.handover import HandedOver
from ecm.exchange.http.server import serving_http

BODY = bytes(24 * 1024 * 1024)
REQUEST = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Transfers:
    """Answers with a large body, and remembers when each of its chunks was decided. `open`: what is answered."""

    def __init__(self) -> None:
        self.decided: list[float] = []
        self.open = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def again() -> bool:
            self.decided.append(time.monotonic())
            return self.open

        headers = {"content-length": str(len(BODY))}
        await HandedOver(BODY, headers, again)(scope, receive, send)


@pytest.fixture
def transfers() -> Transfers:
    return Transfers()


@pytest_asyncio.fixture
async def port(transfers: Transfers) -> AsyncIterator[int]:
    async with serving_http(transfers, "127.0.0.1:0", 1, per_address=20) as port:
        yield port


async def connected(port: int) -> socket.socket:
    """A client that takes little at a time."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, ("127.0.0.1", port))
    await loop.sock_sendall(made, REQUEST)
    return made


async def taken(client: socket.socket, rest: float = 0.0) -> int:
    """How many bytes come until the end; `rest` seconds between two pieces."""
    loop, count = asyncio.get_running_loop(), 0
    try:
        while piece := await loop.sock_recv(client, 1_048_576):
            count += len(piece)
            await asyncio.sleep(rest)
    except ConnectionError:
        pass
    client.close()
    return count


async def test_a_client_that_takes_all_gets_all_each_chunk_decided_anew(port: int, transfers: Transfers) -> None:
    assert await taken(await connected(port)) > len(BODY)
    assert len(transfers.decided) >= len(BODY) // handover.CHUNK_BYTES - 1


async def test_a_client_that_stalls_is_cut_off(port: int, transfers: Transfers) -> None:
    """What the socket holds by then is gone; what is behind it never leaves."""
    client = await connected(port)
    await asyncio.sleep(3)
    decided = len(transfers.decided)
    assert await taken(client) < len(BODY)
    assert len(transfers.decided) == decided, "nothing was decided for it any more"


async def test_what_closes_in_the_midst_ends_the_transfer(port: int, transfers: Transfers) -> None:
    client = await connected(port)
    while not transfers.decided:  # noqa: ASYNC110 - until the first chunk is out
        await asyncio.sleep(0.01)
    transfers.open = False
    assert await taken(client) < len(BODY)
