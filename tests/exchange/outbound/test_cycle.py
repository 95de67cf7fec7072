"""What uvicorn is given to run: an answer that is whole leaves in one write, and no header makes two of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import uvicorn

from ecm.exchange.http.connections import Connections

GET, HEAD, OLD = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
)
LENGTH = (b"content-length", b"4")


class Wire:
    """A transport that remembers each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def write(self, piece: bytes) -> None:
        self.writes.append(piece)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def answered(request: bytes, messages: Sequence[dict[str, Any]]) -> Wire:
    """What an application's messages become, for one request."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    connections = Connections(per_address=0)
    protocol: Any = connections.protocol
    config = uvicorn.Config(application, http=protocol, ws="none", log_config=None, access_log=False, lifespan="off")
    config.load()
    wire = Wire()
    served = config.http_protocol_class(config=config, server_state=uvicorn.Server(config).server_state, app_state={})
    served.connection_made(wire)
    served.data_received(request)
    async with asyncio.timeout(5):
        while not served.cycle.response_complete and not wire.closed:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0)
    return wire


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(piece: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def test_head_and_body_leave_in_one_write() -> None:
    wire = await answered(GET, [start(LENGTH), body(b"body")])
    assert wire.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"]
    assert not wire.closed


@pytest.mark.parametrize("request_bytes", [GET, OLD], ids=["1.1", "1.0"])
@pytest.mark.parametrize(
    "messages",
    [
        [start(LENGTH), body(b"bo", more=True), body(b"dy")],
        [start(), body(b"body")],
        [start(LENGTH, (b"connection", b"close")), body(b"body")],
    ],
    ids=["in pieces", "without a length", "the last"],
)
async def test_anything_else_leaves_as_uvicorn_has_it(request_bytes: bytes, messages: list[dict[str, Any]]) -> None:
    wire = await answered(request_bytes, messages)
    whole = b"".join(wire.writes)
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert whole.endswith((b"\r\n\r\nbody", b"\r\n4\r\nbody\r\n0\r\n\r\n"))
    assert wire.closed == (b"connection: close" in whole)


async def test_a_head_alone_is_answered_without_the_body() -> None:
    wire = await answered(HEAD, [start(LENGTH), body(b"body")])
    assert b"".join(wire.writes) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


async def test_a_body_of_another_length_doesnt_leave() -> None:
    wire = await answered(GET, [start((b"content-length", b"5")), body(b"body")])
    assert wire.closed
    wire = await answered(GET, [start((b"content-length", b"3")), body(b"body")])
    assert wire.closed
    assert b"body" not in b"".join(wire.writes)


@pytest.mark.parametrize("value", [b"a\r\nx: b", b"a\nb", b"a\rb", b"a\x00b", b"a\r\n\r\nb"])
async def test_a_header_that_would_begin_another_line_doesnt_leave(value: bytes) -> None:
    wire = await answered(GET, [start(LENGTH, (b"x", value)), body(b"body")])
    whole = b"".join(wire.writes)
    assert whole.startswith(b"HTTP/1.1 500 ")
    assert value not in whole


async def test_an_application_that_fails_before_the_body_is_answered_500() -> None:
    wire = await answered(GET, [start(LENGTH)])
    assert b"".join(wire.writes).startswith(b"HTTP/1.1 500 ")
    assert wire.closed
