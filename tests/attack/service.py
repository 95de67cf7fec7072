"""What a flood by one client does to another: the other's requests with and without it, in turns, on one region.

Nothing here passes or fails by a time: figures are printed. What holds whatever the machine does is tested
(`exchange/outbound/test_limits.py`).
"""

import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from statistics import median, quantiles

from ecm.local.stack import Stack

FLOODS = Path(__file__).with_name("floods.py")
PAUSE_SECONDS = 0.004
BEGIN_SECONDS, END_SECONDS = 0.7, 0.4
"""How long a flood rises, and how long what it left is waited for, unmeasured."""
BUFFER = 65_536


class Asking:
    """One connection that is kept; one request after the other. Little of its own, so that what is seen is the server.

    ConnectionError where it is hung up on.
    """

    def __init__(self, stack: Stack, token: str) -> None:
        host, _, port = stack.addresses["fhir"].partition("//")[2].partition("/")[0].rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = f" HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"

    def get(self, path: str) -> tuple[float, int, bytes]:
        """Seconds, status and body of what is below the FHIR base."""
        request = f"GET /fhir{path}{self._rest}".encode()
        began = time.perf_counter()
        self._socket.sendall(request)
        head, body, missing = b"", b"", 1
        while not head or missing > 0:
            received = self._socket.recv(BUFFER)
            if not received:
                raise ConnectionError("The server hung up.")
            body += received
            if not head and b"\r\n\r\n" in body:
                head, _, body = body.partition(b"\r\n\r\n")
            missing = _length(head) - len(body)
        return time.perf_counter() - began, int(head[9:12]), body

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)


@dataclass
class Service:
    """What one client got: seconds of each of its requests, one at a time; how many weren't answered as they should."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def p50(self) -> float:
        return median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        return quantiles(self.seconds, n=100)[98] * 1000

    def measure(self, asking: Asking, path: str, seconds: float) -> None:
        """Reads for so long, with a pause behind each; what is there, since what isn't is answered at beats."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            took, status, _ = asking.get(path)
            self.seconds.append(took)
            self.failed += status != HTTPStatus.OK
            time.sleep(PAUSE_SECONDS)


@dataclass
class Compared:
    """By one kind of flood."""

    alone: Service = field(default_factory=Service)
    flooded: Service = field(default_factory=Service)
    told: Counter[str] = field(default_factory=Counter)

    def line(self, kind: str, seconds: float) -> str:
        """Ratios, medians, and what the flood was answered a second."""
        alone, flooded = self.alone, self.flooded
        told = " ".join(f"{status}:{count / seconds:.0f}/s" for status, count in sorted(self.told.items()))
        return (
            f"{kind:<16} p50 x{flooded.p50 / alone.p50:4.2f} ({alone.p50:.2f} -> {flooded.p50:.2f} ms)"
            f"  p99 x{flooded.p99 / alone.p99:4.2f} ({alone.p99:.2f} -> {flooded.p99:.2f} ms)"
            f"  {len(flooded.seconds)} requests, {flooded.failed + alone.failed} failed; the flood: {told}"
        )


@dataclass(frozen=True)
class Flooding:
    """Who floods, with how many connections, asking for which child's `$everything`."""

    stack: Stack
    by: str
    patient: str
    connections: int

    @contextmanager
    def flood(self, kind: str, told: Counter[str]) -> Iterator[None]:
        """Within the block; counts what it was answered."""
        port = self.stack.addresses["fhir"].rpartition(":")[2].partition("/")[0]
        arguments = [kind, port, self.stack.token(client=self.by), str(self.connections), self.patient]
        command = [sys.executable, str(FLOODS), *arguments]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
            time.sleep(BEGIN_SECONDS)
            yield
            said, _ = process.communicate("", timeout=60)
        told.update(json.loads(said))
        time.sleep(END_SECONDS)


def compare(flooding: Flooding, client: str, kinds: Sequence[str], seconds: float, rounds: int) -> Iterator[str]:
    """A line for each kind: what `client` gets alone and flooded, so long each in each round, one after the other."""
    # One token for all: after a flood of bad ones a new one from the same address waits a moment (decision 20).
    asking = Asking(flooding.stack, flooding.stack.token(client=client))
    path = _open_to_all(asking)
    Service().measure(asking, path, 1.0)
    found = {kind: Compared() for kind in kinds}
    for _ in range(rounds):
        for kind, compared in found.items():
            compared.alone.measure(asking, path, seconds)
            with flooding.flood(kind, compared.told):
                compared.flooded.measure(asking, path, seconds)
    asking.close()
    for kind, compared in found.items():
        yield compared.line(kind, (seconds + BEGIN_SECONDS) * rounds)


def _open_to_all(asking: Asking) -> str:
    """The address of an entry of the directory."""
    _, _, body = asking.get("/Organization?_count=1")
    return f"/Organization/{json.loads(body)['entry'][0]['resource']['id']}"
