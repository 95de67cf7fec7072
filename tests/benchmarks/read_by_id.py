"""How fast is a read by id beside a bare SELECT? Token, scopes, lease, lock, consent, audit and commit included.

    python tests/benchmarks/read_by_id.py [seconds per round]

Both serve over uvicorn from the same PostgreSQL; 16 connections; three
interleaved rounds; medians. Compare only within one run.
"""

import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg
import uvicorn
import uvloop

from ecm.kit.db.engine import make_engine
from ecm.kit.db.migrations import run_migrations
from ecm.kit.region import load_region
from ecm.local.stack import Stack
from exchange.outbound.world import PSYCHOLOGY, Server, World, connect

CONNECTIONS = 16
ROUNDS = 3
CHILDREN, EACH = 50, 20
REGION = Path(__file__).parents[2] / "deploy/regions/example/region.yaml"


async def _fill(url: str) -> tuple[list[tuple[UUID, UUID]], list[UUID]]:
    """(child's Patient, Observations): categories, lines and grants as the example region's psychology service has."""
    world = World(await connect(url))
    await world.clear()
    children, observations = [], []
    for _ in range(CHILDREN):
        child = uuid4()
        async with world.sql.transaction():
            for category in ("referral", "health", "family", "offending", "education", "report", "formulation"):
                await world.grant(child, PSYCHOLOGY, category)
            await world.grant(child, PSYCHOLOGY, patient=True)
            patient = await world.patient(child)
            note = [{"text": "x" * 300}]
            observations += [await world.observation(child, patient, note=note) for _ in range(EACH)]
        children.append((child, patient))
    await world.sql.execute("ANALYZE")
    await world.sql.close()
    return children, observations


def _serve(application: Any, port: int) -> int:
    """In a process of its own; its pid."""
    pid = os.fork()
    if pid == 0:
        uvicorn.run(application, port=port, access_log=False, log_level="critical", lifespan="on", loop="uvloop")
        os._exit(0)
    return pid


class _Bare:
    """One SELECT a request, on connections of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: asyncio.Queue[Any] = asyncio.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send, self._start)
            return
        connection = await self._free.get()
        wanted = UUID(scope["path"].rpartition("/")[2])
        body = await connection.fetchval(
            "SELECT body FROM resource WHERE type = 'Observation' AND id = $1 AND view = 3", wanted
        )
        self._free.put_nowait(connection)
        headers = [(b"content-type", b"application/fhir+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _start(self) -> None:
        for _ in range(4):
            self._free.put_nowait(await asyncpg.connect(self._url, ssl=False))


class _Door:
    """The FHIR application, made in the process that serves it."""

    def __init__(self, url: str, server: Server, engine: Any) -> None:
        self._url, self._server, self._engine = url, server, engine

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send, self._server.writers.start)
            return
        await self._server.application(scope, receive, send)


async def _lifespan(receive: Any, send: Any, start: Any) -> None:
    await receive()
    await start()
    await send({"type": "lifespan.startup.complete"})
    await receive()


async def _load(port: int, paths: list[str], token: str, seconds: float) -> tuple[float, list[float]]:
    """Requests a second and latencies."""
    until, latencies = time.perf_counter() + seconds, []
    head = f" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"

    async def one(offset: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = offset * 37
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(f"GET {paths[number % len(paths)]}{head}".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200"), answer
            length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - began)
            number += 1
        writer.close()

    await asyncio.gather(*(one(n) for n in range(CONNECTIONS)))
    return len(latencies) / seconds, latencies


def _told(name: str, rates: list[float], latencies: list[float]) -> None:
    cut = statistics.quantiles(latencies, n=100)
    rate = statistics.median(rates)
    print(f"{name:34} {rate:7.0f}/s   p50 {cut[49] * 1000:5.1f} ms   p99 {cut[98] * 1000:6.1f} ms")


async def _measure(targets: dict[str, tuple[int, list[str], str]], seconds: float) -> None:
    rates: dict[str, list[float]] = {name: [] for name in targets}
    latencies: dict[str, list[float]] = {name: [] for name in targets}
    for target in targets.values():
        await _load(*target, 1.0)
    for _ in range(ROUNDS):
        for name, target in targets.items():
            rate, found = await _load(*target, seconds)
            rates[name].append(rate)
            latencies[name] += found
    for name in targets:
        _told(name, rates[name], latencies[name])
    bare, door = (statistics.median(rates[name]) for name in list(targets)[:2])
    print(f"read by id : bare SELECT = {door / bare:.2f}")


def main() -> None:
    """Prints the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack.start(Path(folder), parts=("postgres",), fresh_ports=True) as pg,
    ):
        run_migrations("ecm.exchange", pg.database_url("exchange", "owner"), "ecm_exchange_app")
        children, observations = uvloop.run(_fill(pg.database_url("exchange", "owner")))
        url, region = pg.database_url("exchange"), load_region(REGION)
        engine = make_engine(url, app_name="bench")
        server = Server(url, engine, region)
        bare_port, door_port = pg.plan.ports["http"], pg.plan.ports["exchange"]
        servers = [_serve(_Bare(url), bare_port), _serve(_Door(url, server, engine), door_port)]
        time.sleep(3)
        token = server.token()
        ids = [f"/fhir/Observation/{one}" for one in observations]
        searches = [f"/fhir/Observation?patient={patient}&_count=20" for _, patient in children]
        everything = [f"/fhir/Patient/{patient}/$everything" for _, patient in children]
        identifier = ["/fhir/Patient?identifier=9990000042&_count=20&_total=none"]
        targets = {
            "bare SELECT": (bare_port, ids, token),
            "read by id": (door_port, ids, token),
            "Observation?patient=X&_count=20": (door_port, searches, token),
            "Patient/X/$everything (21)": (door_port, everything, token),
            "Patient?identifier= (20 of 50)": (door_port, identifier, token),
        }
        try:
            uvloop.run(_measure(targets, seconds))
        finally:
            for pid in servers:
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
