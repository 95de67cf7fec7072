"""How fast is the exchange beside what the machine allows, and what does it cost?

    make bench [BENCH="--seconds 8 --rounds 5 --children 2000 --works read search"]

Ours checks token, scopes, lease and consent, and writes and seals the audit; raw is one SELECT a request (`raw.py`).
Both serve from the same PostgreSQL (fsync and synchronous_commit on), 16 connections, interleaved rounds, medians;
compare only within one run. Writes build/bench.json.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.children import NHS, Region, fill
from benchmarks.load import load
from benchmarks.processes import Serving, database_cpu
from ecm.kit.db.migrations import run_migrations
from ecm.local.stack import Stack

EACH = 20
RESULT = Path(__file__).parents[2] / "build/bench.json"
WORKS: dict[str, Callable[[Region], list[str]]] = {
    "read": lambda region: [f"/fhir/Observation/{one}" for one in region.observations],
    "search": lambda region: [f"/fhir/Observation?patient={one}&_count=20" for one in region.patients],
    "identifier": lambda region: [f"/fhir/Patient?identifier={NHS}|{one}" for one in region.identifiers],
    "everything": lambda region: [f"/fhir/Patient/{one}/$everything" for one in region.patients],
}


@dataclass
class Measured:
    """One work on one server."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    server_cpu: float = 0.0
    database_cpu: float = 0.0

    def result(self) -> dict[str, float]:
        cuts = statistics.quantiles(self.latencies, n=100)
        count = len(self.latencies)
        return {
            "rps": round(statistics.median(self.rates), 1),
            "p50_ms": round(cuts[49] * 1000, 2),
            "p99_ms": round(cuts[98] * 1000, 2),
            "server_cpu_us": round(self.server_cpu / count * 1e6, 1),
            "database_cpu_us": round(self.database_cpu / count * 1e6, 1),
        }


async def _round(server: Serving, paths: list[str], seconds: float, postmaster: int, into: Measured | None) -> None:
    token = server.token()
    before = server.cpu(), database_cpu(postmaster)
    made = await load(server.port, paths, token, seconds)
    if into is not None:
        into.rates.append(made.rate)
        into.latencies += made.latencies
        into.server_cpu += server.cpu() - before[0]
        into.database_cpu += database_cpu(postmaster) - before[1]


async def measure(
    servers: dict[str, Serving], region: Region, works: list[str], options: argparse.Namespace, postmaster: int
) -> dict[str, dict[str, Measured]]:
    """Work → server → what was measured."""
    found = {work: {name: Measured() for name in servers} for work in works}
    paths = {work: WORKS[work](region) for work in works}
    for number in range(-1, options.rounds):
        for work in works:
            for name, server in servers.items():
                seconds = options.seconds if number >= 0 else 1.0
                into = found[work][name] if number >= 0 else None
                await _round(server, paths[work], seconds, postmaster, into)
    return found


def show(result: dict[str, Any], works: list[str]) -> None:
    """The table."""
    table = Table(title="requests/s, p50 / p99 ms, CPU µs a request (server + database)")
    for title in ("", "ours", "raw", "ours : raw"):
        table.add_column(title, justify="left" if not title else "right")
    for work in works:
        ours, raw = result[work]["ours"], result[work]["raw"]
        table.add_row(work, _cell(ours), _cell(raw), f"{ours['rps'] / raw['rps']:.2f}")
    memory = {name: one.get("pss_mb", one["rss_mb"]) for name, one in result["memory"].items()}
    table.add_row("memory after load", f"{memory['ours']:.0f} MB", f"{memory['raw']:.0f} MB", "")
    Console(width=110).print(table)


def _cell(one: dict[str, float]) -> str:
    cpu = f"{one['server_cpu_us']:.0f} + {one['database_cpu_us']:.0f} µs"
    return f"{one['rps']:.0f}/s  {one['p50_ms']:.1f} / {one['p99_ms']:.1f}  {cpu}"


async def _about(url: str) -> dict[str, Any]:
    sql = await asyncpg.connect(url, ssl=False)
    settings = {name: await sql.fetchval(f"SHOW {name}") for name in ("server_version", "fsync", "synchronous_commit")}
    await sql.close()
    assert (settings["fsync"], settings["synchronous_commit"]) == ("on", "on")
    return settings | {"cpus": os.cpu_count()}


def bench(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    """Fills, serves, measures."""
    owner, app = (stack.database_url("exchange", role) for role in ("owner", "app"))
    run_migrations("ecm.exchange", owner, "ecm_exchange_app")
    region = uvloop.run(fill(owner, options.children, EACH))
    postmaster = stack.state.parts["postgres"].process
    assert postmaster is not None
    with Serving("ours", app) as ours, Serving("raw", app) as raw:
        servers = {"ours": ours, "raw": raw}
        found = uvloop.run(measure(servers, region, options.works, options, postmaster.pid))
        memory = {name: server.memory() for name, server in servers.items()}
    result: dict[str, Any] = {work: {name: one.result() for name, one in row.items()} for work, row in found.items()}
    return result | {"memory": memory, "about": asyncio.run(_about(app))}


def main() -> None:
    """Prints the table and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--children", type=int, default=2_000)
    parser.add_argument("--works", nargs="*", choices=list(WORKS), default=list(WORKS))
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack.start(Path(folder), parts=("postgres",), fresh_ports=True) as stack,
    ):
        result = bench(stack, options)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2))
    show(result, options.works)


if __name__ == "__main__":
    main()
