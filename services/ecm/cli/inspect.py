"""`ecm status`, `ecm logs` and `ecm kill`."""

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated, TypedDict

import typer
from rich.table import Table

from ecm.admin.errors import OperatorError
from ecm.admin.files import tail
from ecm.cli.options import DEFAULT_STATE, Json, State, output
from ecm.local import parts
from ecm.local.process import memory_bytes
from ecm.local.stack import Stack
from ecm.local.state import RunState

NOT_HEALTHY = 3


class PartStatus(TypedDict):
    """One part, as `ecm status --json` prints it. `memory_bytes` includes its children, shared pages once."""

    address: str
    phase: str
    healthy: bool
    pid: int | None
    restarts: int
    memory_bytes: int
    message: str


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(logs)
    app.command()(kill)


def status(state: State = DEFAULT_STATE, as_json: Json = False) -> None:
    """Show every part, its address, and whether it answers now. Status 3 where one doesn't."""
    stack = Stack.attach(state)
    found = asyncio.run(part_statuses(stack))
    healthy = all(part["healthy"] for part in found.values())
    if as_json:
        whole = {"state": str(stack.paths.root), "healthy": healthy, "fhir_base": stack.plan.fhir_base, "parts": found}
        typer.echo(json.dumps(whole, indent=2))
    else:
        output().print(_table(found))
        if not stack.state.supervised:
            output().print("Nothing runs. Start it: ecm up.")
    if not healthy:
        raise typer.Exit(NOT_HEALTHY)


async def part_statuses(stack: Stack) -> dict[str, PartStatus]:
    """Every part of the plan, asked now."""
    now = stack.state
    names = stack.plan.parts
    answers = await asyncio.gather(*(_answers(stack, now, name) for name in names))
    return {name: _status(stack, now, name, answer) for name, answer in zip(names, answers, strict=True)}


async def _answers(stack: Stack, now: RunState, name: str) -> bool:
    part = now.parts.get(name)
    if part is None or part.process is None or not part.process.identity.alive():
        return False  # whoever listens on its port isn't it
    return await parts.build(stack.paths, stack.plan, name).ready()


def _status(stack: Stack, now: RunState, name: str, healthy: bool) -> PartStatus:
    part = now.parts.get(name)
    process = part.process if part else None
    alive = process is not None and process.identity.alive()
    return PartStatus(
        address=stack.plan.address(name),
        phase=part.phase if part and now.supervised else "stopped",
        healthy=healthy,
        pid=process.pid if process and alive else None,
        restarts=part.restarts if part else 0,
        memory_bytes=memory_bytes(process.pid) if process and alive else 0,
        message=part.message if part else "",
    )


def _table(found: dict[str, PartStatus]) -> Table:
    table = Table("part", "address", "phase", "healthy", "pid", "restarts", "MiB", box=None, pad_edge=False)
    for name, part in found.items():
        mark = "[green]yes[/]" if part["healthy"] else "[red]no[/]"
        memory = f"{part['memory_bytes'] / 2**20:.0f}"
        table.add_row(
            name, part["address"], part["phase"], mark, str(part["pid"] or "-"), str(part["restarts"]), memory
        )
    return table


def logs(
    part: Annotated[str, typer.Argument(help="A part; all of them where left out.")] = "",
    state: State = DEFAULT_STATE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="So many of each, the last ones.")] = 50,
) -> None:
    """Print what parts have logged."""
    folder = Stack.attach(state).paths.logs
    files = sorted(folder.glob(f"{part}.log" if part else "*.log"))
    if not files:
        known = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none yet"
        raise OperatorError(f"There is no log of {part or 'anything'!r}.", f"There are: {known}.")
    names = len(files) > 1
    for file in files:
        _print(file, tail(file, lines), names)
    if follow:
        _follow(files, names)


def _print(file: Path, lines: list[str], names: bool) -> None:
    for line in lines:
        typer.echo(f"{file.stem:<12} {line}" if names else line)


def _follow(files: list[Path], names: bool) -> None:
    ends = {file: file.stat().st_size for file in files}
    while True:
        for file, end in ends.items():
            with file.open("rb") as opened:
                opened.seek(end if file.stat().st_size >= end else 0)
                added = opened.read()
                ends[file] = opened.tell()
            _print(file, added.decode("utf-8", "replace").splitlines(), names)
        time.sleep(0.3)


def kill(
    part: Annotated[str, typer.Argument(help="postgres, kafka, issuer or a service.")], state: State = DEFAULT_STATE
) -> None:
    """Kill one part (SIGKILL), to see what happens; the supervisor starts it again."""
    Stack.attach(state).kill(part)
    output().print(f"{part} was killed; the supervisor starts it again.")
