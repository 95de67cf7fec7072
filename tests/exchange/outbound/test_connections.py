"""HTTP's own parser, asked by raw sockets: what isn't a request, two requests in one, heads without end, slow ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from ecm.exchange.http import connection, connections
from ecm.exchange.http.server import serving_http

GOOD = b"GET /seen HTTP/1.1\r\nHost: x\r\n\r\n"


class Seen:
    """An application that remembers what reached it, and answers the path."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])
        self.headers.append(scope["headers"])
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        answer = scope["path"].encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest_asyncio.fixture
async def port(seen: Seen) -> AsyncIterator[int]:
    async with serving_http(seen, "127.0.0.1:0", 1, per_address=20) as port:
        yield port


async def _refusing(scope: Any, receive: Any, send: Any) -> None:
    """Answers without having read the body."""
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"7")]})
    await send({"type": "http.response.body", "body": b"no more"})


async def ask(port: int, *pieces: bytes, close: bool = True) -> bytes:
    """All that is answered until the server hangs up, or falls silent for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.01)
        return await all_of(reader)
    finally:
        writer.close()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """What comes within a second of silence."""
    answer = b""
    try:
        while piece := await asyncio.wait_for(reader.read(65_536), 1.0):
            answer += piece
    except (TimeoutError, ConnectionError):
        pass
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of each answer in the bytes."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


POST = b"POST /seen HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
AMBIGUOUS = {
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + SMUGGLED,
    "the same length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED,
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello" + SMUGGLED,
    "a signed length": POST + b"Content-Length: +5\r\n\r\nhello" + SMUGGLED,
    "a hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\nhello" + SMUGGLED,
    "an endless length": POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + SMUGGLED,
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\nContent-Length: 3\r\n\r\n" + SMUGGLED,
    "not quite chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a blank before the colon": POST + b"Content-Length : 5\r\n\r\nhello" + SMUGGLED,
    "a folded header": POST + b"X: 1\r\n Content-Length: 40\r\n\r\n" + SMUGGLED,
    "a bare CR": POST + b"X: 1\rContent-Length: 5\r\n\r\nhello" + SMUGGLED,
    "a bare LF": b"POST /seen HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello" + SMUGGLED,
    "NUL in a header": POST + b"X: a\x00b\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED,
    "a chunk too long": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "a chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("request_bytes", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_what_could_be_read_in_two_ways_is_read_in_none(port: int, seen: Seen, request_bytes: bytes) -> None:
    """A proxy before us could see one request where we see two: https://www.rfc-editor.org/rfc/rfc9112#section-11.2"""
    answer = await ask(port, request_bytes)
    assert "/smuggled" not in seen.paths
    assert set(statuses(answer)) <= {400}


GARBAGE = {
    "zeros": b"\x00" * 4_096,
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"\x00" * 200,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version to come": b"GET / HTTP/9.9\r\n\r\n",
    "an unknown method": b"FETCH / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT example.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "not ASCII": "GET /ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a header without a name": b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_what_isnt_http_is_refused_as_fhir_has_it(port: int, seen: Seen, garbage: bytes) -> None:
    answer = await ask(port, garbage)
    assert statuses(answer) == [400]
    assert b'"resourceType":"OperationOutcome"' in answer
    assert not seen.paths


HEADS: dict[str, Sequence[bytes]] = {
    "one header": [b"GET /seen HTTP/1.1\r\nHost: x\r\nX: ", *[b"x" * 16_384] * 6, b"\r\n\r\n"],
    "at once": [b"GET /seen HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 80_000 + b"\r\n\r\n"],
    "many headers": [b"GET /seen HTTP/1.1\r\n", *[b"X: y\r\n" * 2_000] * 8, b"\r\n"],
    "an address": [b"GET /", *[b"x" * 16_384] * 6, b" HTTP/1.1\r\nHost: x\r\n\r\n"],
}


@pytest.mark.parametrize("pieces", HEADS.values(), ids=HEADS)
async def test_a_head_without_end_is_cut(port: int, seen: Seen, pieces: Sequence[bytes]) -> None:
    answer = await ask(port, *pieces)
    assert statuses(answer) in ([431], [])
    assert not seen.paths


async def test_a_body_may_be_larger_than_a_head(port: int, seen: Seen) -> None:
    body = b"x" * 300_000
    answer = await ask(port, POST + f"Content-Length: {len(body)}\r\n\r\n".encode(), body, GOOD)
    assert statuses(answer) == [200, 200]
    assert seen.bodies == [body, b""]


async def test_requests_in_one_piece_are_answered_in_order(port: int, seen: Seen) -> None:
    several = b"".join(f"GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for number in range(10))
    assert statuses(await ask(port, several)) == [200] * 10
    assert seen.paths == [f"/{number}" for number in range(10)]


async def test_a_flood_in_one_piece_isnt_queued(port: int, seen: Seen) -> None:
    await ask(port, GOOD * 1_000)
    assert len(seen.paths) <= connection.MOST_PIPELINED + 1


async def test_an_upgrade_is_ignored(port: int, seen: Seen) -> None:
    """Java's client asks for h2c with every first request; what follows it is a request like any other."""
    upgrading = b"GET /first HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert statuses(await ask(port, upgrading + GOOD)) == [200, 200]
    assert statuses(await ask(port, upgrading, GOOD)) == [200, 200]
    assert seen.paths == ["/first", "/seen"] * 2


async def test_the_second_is_refused_without_touching_the_firsts_answer(port: int) -> None:
    answer = await ask(port, GOOD, b"nonsense\r\n\r\n")
    assert statuses(answer) == [200, 400]


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET /seen HTTP/1.1\r\nX: ", POST + b"Content-Length: 10\r\n\r\nhalf"],
    ids=["nothing", "half a head", "half a body"],
)
async def test_half_a_request_isnt_waited_for_for_ever(
    port: int, seen: Seen, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HEAD_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(connection, name, 0.2)
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    # It hangs up; a test that fails here waits for ever, and says so by that.
    assert await reader.read() == b""
    writer.close()
    assert not seen.bodies


async def test_an_idle_connection_may_stay(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GOOD)
    assert b"/seen" in await reader.read(4_096)
    await asyncio.sleep(0.6)
    writer.write(GOOD)
    assert b"/seen" in await reader.read(4_096)
    writer.close()


CHUNKED = b"POST /seen HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "fields behind the last chunk": (b"0\r\n", b"a: b\r\n" * 2_000),
    "one field behind the last chunk": (b"0\r\na: ", b"b" * 12_000),
    "a chunk's own line": (b"5;a=", b"b" * 12_000),
}


@pytest.mark.parametrize(("begun", "piece"), ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("answered", [False, True], ids=["not answered", "answered"])
async def test_what_isnt_body_is_bounded_in_a_body_too(seen: Seen, begun: bytes, piece: bytes, answered: bool) -> None:
    async with serving_http(_refusing if answered else seen, "127.0.0.1:0", 1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED + begun)
        sent = 0
        # Without a bound it takes all of this; with one it hangs up after some 64 KiB.
        with contextlib.suppress(ConnectionError):
            while sent < 8_000_000 and not writer.transport.is_closing():
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
                await asyncio.sleep(0)
        assert sent < 8_000_000
        await all_of(reader)
        writer.close()
    assert not seen.bodies


async def test_fields_behind_a_body_arent_the_requests(port: int, seen: Seen) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1"""
    body = b"5\r\nhello\r\n0\r\nAuthorization: Bearer other\r\n\r\n"
    assert statuses(await ask(port, CHUNKED + body)) == [200]
    assert seen.bodies == [b"hello"]
    assert seen.headers == [[(b"host", b"x"), (b"transfer-encoding", b"chunked")]]


async def test_many_small_chunks_are_a_body(port: int, seen: Seen) -> None:
    """Each chunk's line is bounded, not all of them together."""
    chunks = b"1\r\nx\r\n" * 40_000
    assert statuses(await ask(port, CHUNKED + chunks + b"0\r\n\r\n")) == [200]
    assert seen.bodies == [b"x" * 40_000]


async def test_who_is_answered_learns_that_its_client_is_gone_whatever_waits_behind_it() -> None:
    left = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        left.set()

    async with serving_http(waiting, "127.0.0.1:0", 1) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GOOD + GOOD)
        await asyncio.sleep(0.1)
        writer.close()
        async with asyncio.timeout(5):
            await left.wait()


async def test_one_connections_fault_doesnt_end_the_watch(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)

    def faulty(_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(connection.Connection, "check", faulty)
        _, other = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.5)
        other.close()
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_connection_at_rest_is_closed_in_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "REST_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GOOD)
    # The answer, then the end; a test that fails here waits for ever.
    assert statuses(await reader.read()) == [200]
    writer.close()


async def test_what_comes_behind_an_answer_isnt_waited_for_as_at_rest(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GOOD + b"GET /seen HTTP/1.1\r\nX: ")
    assert statuses(await reader.read()) == [200]
    writer.close()


async def test_a_body_that_comes_behind_its_answer_leaves_the_connection_at_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "REST_SECONDS", 0.2)
    async with serving_http(_refusing, "127.0.0.1:0", 1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + b"Content-Length: 10\r\n\r\nhalf")
        assert b"no more" in await reader.read(4_096)
        writer.write(b"+ half")
        assert await reader.read() == b""
        writer.close()


async def test_one_address_has_so_many_connections_and_gets_them_back(port: int) -> None:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
    assert await ask(port, GOOD) == b""
    for _, writer in opened:
        writer.close()
    for _, writer in opened:
        await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert statuses(await ask(port, GOOD)) == [200]
