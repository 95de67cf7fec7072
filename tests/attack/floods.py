"""One client's flood, from a process of its own: `python floods.py KIND PORT TOKEN CONNECTIONS [PATIENT]`.

Connections that ask again as soon as they are answered, or never end what they have begun. Goes on until its input
ends; then prints what it was answered, as JSON: statuses and how often.
"""

import asyncio
import base64
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

FEW = 8
LARGE = b'{"resourceType":"Observation","status":"final","note":[{"text":"' + b"x" * (8 * 1024 * 1024) + b'"}]}'
SECONDS_A_BYTE = 0.2
JSON = "Content-Type: application/fhir+json\r\n"
PATHS = {
    "reads": "/fhir/Patient/00000000-0000-4000-8000-{number:012d}",
    "searches": "/fhir/Observation?_count=200",
    "dates": "/fhir/Observation?_lastUpdated=ge2000&date=ge2000&_count=200",
    "$everything": "/fhir/Patient/{patient}/$everything?_count=200",
    "unknown paths": "/fhir/Nothing/{number}",
    "open documents": "/fhir/metadata",
    "health": "/health/live",
}
"""What is asked for, by kind; of the others the document of `/fhir/Patient/1`."""
NAMELESS = ("nobody", "open documents", "health")
KINDS = (*PATHS, "nobody", "bad tokens", "new connections", "large bodies", "slow bodies")


@dataclass
class Flood:
    """One kind of it."""

    kind: str
    port: int
    token: str
    patient: str = ""
    seen: Counter[str] = field(default_factory=Counter)

    def request(self, number: int) -> bytes:
        """The bytes of one request."""
        auth = "" if self.kind in NAMELESS else f"Authorization: Bearer {self._token()}\r\n"
        if self.kind in ("large bodies", "slow bodies"):
            head = f"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\n{auth}{JSON}Content-Length: {len(LARGE)}\r\n\r\n"
            return head.encode() + (LARGE if self.kind == "large bodies" else b"")
        path = PATHS.get(self.kind, "/fhir/Patient/1").format(number=number, patient=self.patient)
        return f"GET {path} HTTP/1.1\r\nHost: x\r\n{auth}\r\n".encode()

    def _token(self) -> str:
        if self.kind != "bad tokens":
            return self.token
        head, payload, _ = self.token.split(".")
        return f"{head}.{payload}.{base64.urlsafe_b64encode(os.urandom(64)).decode().rstrip('=')}"

    async def connection(self) -> None:
        """One connection, made anew where it is hung up on."""
        while True:
            try:
                await (self._dawdle() if self.kind == "slow bodies" else self._ask())
            except (OSError, asyncio.IncompleteReadError):
                self.seen["hung up"] += 1
                await asyncio.sleep(0.05)

    async def _ask(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        number = 0
        while number == 0 or self.kind != "new connections":
            number += 1
            writer.write(self.request(number))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length or 0))
            self.seen[head[9:12].decode()] += 1
        writer.close()

    async def _dawdle(self) -> None:
        """A body of which a byte comes now and then."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self.request(1))
        answer = asyncio.ensure_future(reader.read(12))
        while not answer.done():
            writer.write(b"x")
            await asyncio.sleep(SECONDS_A_BYTE)
        self.seen[answer.result()[9:12].decode() or "hung up"] += 1
        writer.close()


async def _until_told(flood: Flood, connections: int) -> None:
    many = FEW if flood.kind == "large bodies" else connections
    asking = [asyncio.create_task(flood.connection()) for _ in range(many)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for one in asking:
        one.cancel()


def _lowest_priority() -> None:
    """What this takes of the machine would be another machine's."""
    os.nice(19)
    try:
        Path("/proc/self/autogroup").write_text("19")
    except OSError:
        return


if __name__ == "__main__":
    _lowest_priority()
    which, where, whose, connections, *patient = sys.argv[1:]
    made = Flood(which, int(where), whose, *patient)
    uvloop.run(_until_told(made, int(connections)))
    print(json.dumps(made.seen))
