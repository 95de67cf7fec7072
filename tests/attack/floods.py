"""One client's flood, from a process of its own: `python floods.py KIND PORT TOKEN SECONDS`; prints statuses as JSON.

Connections that ask again as soon as they are answered, or never end what they have begun.
"""

import asyncio
import base64
import json
import os
import sys
import time
from collections import Counter

CONNECTIONS = 64
SLOW_CONNECTIONS = 200
BODY = b'{"resourceType":"Observation","status":"final","note":[{"text":"' + b"x" * (8 * 1024 * 1024) + b'"}]}'


def request(kind: str, token: str, number: int) -> bytes:
    """The bytes of one request."""
    auth = f"Authorization: Bearer {token}\r\n"
    if kind == "bad tokens":
        head, payload, _ = token.split(".")
        signature = base64.urlsafe_b64encode(os.urandom(64)).decode().rstrip("=")
        auth = f"Authorization: Bearer {head}.{payload}.{signature}\r\n"
    if kind == "nobody":
        auth = ""
    if kind == "large bodies":
        head = f"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\n{auth}Content-Type: application/fhir+json\r\n"
        return f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    path = {
        "reads": f"/fhir/Patient/00000000-0000-4000-8000-{number:012d}",
        "searches": "/fhir/Observation?_count=200",
        "dates": "/fhir/Observation?_lastUpdated=ge2000&date=ge2000&_count=200",
    }.get(kind, "/fhir/Patient/1")
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{auth}\r\n".encode()


async def ask(kind: str, port: int, token: str, until: float, seen: Counter[str]) -> None:
    """One connection, made anew where it is hung up on."""
    number = 0
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while time.monotonic() < until:
                number += 1
                writer.write(request(kind, token, number))
                await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                await reader.readexactly(int(length or 0))
                seen[head[9:12].decode()] += 1
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            seen["hung up"] += 1
            await asyncio.sleep(0.05)


async def dawdle(port: int, token: str, until: float, seen: Counter[str]) -> None:
    """A body of which a byte comes now and then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    writer.write(f"{head}Content-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n".encode())
    answer = asyncio.ensure_future(reader.read(12))
    while time.monotonic() < until and not answer.done():
        writer.write(b"x")
        await asyncio.sleep(0.2)
    seen[answer.result()[9:12].decode() or "hung up" if answer.done() else "held"] += 1
    answer.cancel()
    writer.close()


async def flood(kind: str, port: int, token: str, seconds: float) -> Counter[str]:
    """All connections of one kind of flood."""
    until, seen = time.monotonic() + seconds, Counter[str]()
    if kind == "slow bodies":
        await asyncio.gather(*(dawdle(port, token, until, seen) for _ in range(SLOW_CONNECTIONS)))
    else:
        many = 8 if kind == "large bodies" else CONNECTIONS
        await asyncio.gather(*(ask(kind, port, token, until, seen) for _ in range(many)))
    return seen


KINDS = ("reads", "searches", "dates", "nobody", "bad tokens", "large bodies", "slow bodies")

if __name__ == "__main__":
    which, where, whose, long = sys.argv[1:]
    print(json.dumps(asyncio.run(flood(which, int(where), whose, float(long)))))
