"""How fast is the exchange beside the raw limit and its peers, and what does it cost?

    make bench                            # some 15 minutes
    make bench BENCH="--quick"            # some 4
    make bench BENCH="--peers --works read search --region-seconds 0"   # ours and the raw limit alone
    make bench BENCH="--peers --works --children 300"   # what the region alone can show: commits to topics, withdrawals

Ours is the exchange of a region as `ecm up` starts it: token, scopes, lease and consent checked, the audit written and
sealed. raw is one statement a request (`raw.py`). hapi is HAPI FHIR JPA, where Java and Maven are; sekmet is SEKMET
from PyPI. None of these checks anything. The same children, 16 connections, each server alone under load in its turn,
interleaved rounds, medians; compare only within one run. Ours, raw and hapi stand on one PostgreSQL, fsync and
synchronous_commit on. Writes build/bench.json.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import uvloop
from rich.console import Console

from benchmarks import database, streams, withdrawals
from benchmarks.children import Children, make
from benchmarks.filling import fill
from benchmarks.goals import goals
from benchmarks.hapi import Hapi
from benchmarks.living import Living, raise_children
from benchmarks.load import CONNECTIONS
from benchmarks.measuring import Plan, measure, settle
from benchmarks.processes import Tree
from benchmarks.report import show
from benchmarks.sekmet import Sekmet
from benchmarks.servers import AbsentError, Ours, Raw, Server, Started, pid_of
from benchmarks.works import WORKS, check, give
from ecm.local.stack import Stack

RESULT = Path(__file__).parents[2] / "build/bench.json"
PEERS = ("hapi", "sekmet")
EACH = 20
QUICK = {"seconds": 2.0, "rounds": 2, "children": 300, "region_seconds": 5.0, "withdrawals": 20, "warm_seconds": 2.0}
# One client is the whole load: its limit is kept, and never met.
SETTINGS = {"exchange": {"ECM_CLIENT_REQUESTS_PER_SECOND": "1000000"}}
Result = dict[str, Any]

_began = time.monotonic()
_console = Console(stderr=True)


def say(what: str) -> None:
    """Progress, with the time since the start."""
    _console.print(f"[dim]{time.monotonic() - _began:5.0f} s[/dim]  {what}", highlight=False)


class Bench:
    """One run on a running region."""

    def __init__(self, stack: Stack, options: argparse.Namespace, folder: Path) -> None:
        self.stack = stack
        self.options = options
        self.folder = folder
        self.absent: dict[str, str] = {}
        self._trees = [Tree(_supervisor(stack))]

    def run(self) -> Result:
        """Everything: servers side by side, then what the region alone can show."""
        living = self._living()
        children = make(self.options.children, EACH, CONNECTIONS)
        say(f"{len(children.asked):,} children with {EACH} resources each into the exchange")
        uvloop.run(fill(self.stack.database_url("exchange", "owner"), children))
        with self._servers(children, living) as servers:
            for name, server in servers.items():
                uvloop.run(check(name, server, children))
            found = uvloop.run(measure(servers, children, self._plan()))
            result: Result = {work: {name: one.result() for name, one in row.items()} for work, row in found.items()}
            result["memory"] = {name: {"rss_mb": round(server.memory(), 1)} for name, server in servers.items()}
            result["start_seconds"] = {name: round(server.start_seconds, 2) for name, server in servers.items()}
            ours = servers["ours"]
        if self.options.region_seconds:
            try:
                result["region"] = uvloop.run(self._region(ours, children, living))
            except Exception as error:
                # What was measured until here is worth keeping.
                traceback.print_exc()
                self.absent["the region"] = f"{type(error).__name__}: {error}"
        result["absent"] = self.absent
        result["about"] = asyncio.run(database.about(self.stack)) | self._about()
        return result

    def _living(self) -> list[Living]:
        say(f"{self.options.living} children through the services")
        return raise_children(self.stack, self.options.living)

    @contextmanager
    def _servers(self, children: Children, living: list[Living]) -> Iterator[dict[str, Server]]:
        with ExitStack() as stack:
            servers: dict[str, Server] = {"ours": Ours(self.stack, [one.patient for one in living])}
            servers["raw"] = stack.enter_context(Raw(self.stack.database_url("exchange", "app")))
            for name in self.options.peers:
                try:
                    servers[name] = stack.enter_context(self._peer(name, children))
                except AbsentError as error:
                    self.absent[name] = str(error)
                    say(f"{name} is left out: {error}")
            yield servers

    def _peer(self, name: str, children: Children) -> Started:
        say(f"starting {name}")
        made = Hapi(self.stack) if name == "hapi" else Sekmet(self.folder)
        self._trees.append(made.tree)
        say(f"the children into {name}")
        try:
            uvloop.run(give(made, children))
        except BaseException:
            made.stop()
            raise
        return made

    def _plan(self) -> Plan:
        options = self.options
        return Plan(
            works=options.works,
            seconds=options.seconds,
            rounds=options.rounds,
            warm_seconds=options.warm_seconds,
            database=Tree(pid_of(self.stack, "postgres")),
            running=lambda: sum(tree.cpu() for tree in self._trees),
            checkpoint=lambda: database.checkpoint(self.stack),
            say=say,
        )

    async def _region(self, ours: Server, children: Children, living: list[Living]) -> Result:
        options = self.options
        say("commit → partner topic")
        found: Result = {"commit_to_topic": await streams.commit_to_topic(self.stack, living, options.region_seconds)}
        say("contributions")
        found["contribution"] = await streams.contributions(self.stack, living, options.withdrawals)
        say("withdrawals")
        found["withdraw"] = await withdrawals.withdrawals(self.stack, ours, children, living, options.withdrawals)
        await settle(Tree(_supervisor(self.stack)).cpu)
        found["part_mb"] = {part: round(Tree(pid_of(self.stack, part)).memory()) for part in self.stack.plan.parts}
        found["all_mb"] = round(Tree(_supervisor(self.stack)).memory())
        return found

    def _about(self) -> Result:
        names = ("works", "children", "seconds", "rounds")
        memory = "rss_mb is PSS, summed over a server's processes, without the database"
        told: Result = {name: getattr(self.options, name) for name in names}
        return told | {"each": EACH, "connections": CONNECTIONS, "cpus": os.cpu_count(), "memory": memory}


def _supervisor(stack: Stack) -> int:
    found = stack.state.supervisor
    assert found is not None
    return found.pid


@contextmanager
def _region(folder: Path) -> Iterator[tuple[Stack, Result]]:
    """A region on fresh ports, and how long it took to come up: with an empty state directory, and again."""
    say("ecm up, twice")
    began = time.monotonic()
    with Stack.start(folder, fresh_ports=True, settings=SETTINGS) as stack:
        first = time.monotonic() - began
        asyncio.run(database.note_commits(stack))
    began = time.monotonic()
    with Stack.start(folder) as stack:
        again = time.monotonic() - began
        yield stack, {"first": round(first, 2), "again": round(again, 2)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less of everything; what is said beside it wins")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--children", type=int, default=2_000)
    parser.add_argument("--works", nargs="*", choices=WORKS, default=list(WORKS))
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="none: ours and raw alone")
    parser.add_argument("--warm-seconds", type=float, default=5.0, help="of the round that doesn't count")
    parser.add_argument("--region-seconds", type=float, default=20.0, help="of commits to topics; 0: no such figures")
    parser.add_argument("--living", type=int, default=CONNECTIONS, help="children that the services themselves know")
    parser.add_argument("--withdrawals", type=int, default=100, help="idle, and as many under load")
    parser.add_argument("--output", type=Path, default=RESULT)
    if "--quick" in sys.argv:
        parser.set_defaults(**QUICK)
    return parser.parse_args()


def main() -> None:
    """Prints the tables and writes the file."""
    options = _options()
    with tempfile.TemporaryDirectory() as made:
        state, own = Path(made) / "state", Path(made) / "peers"
        own.mkdir()
        with _region(state) as (stack, up):
            result = Bench(stack, options, own).run()
    if "region" in result:
        result["region"]["up_seconds"] = up
    result["goals"] = [goal.result() for goal in goals(result)]
    options.output.parent.mkdir(exist_ok=True, parents=True)
    options.output.write_text(json.dumps(result, indent=2))
    show(result)


if __name__ == "__main__":
    main()
