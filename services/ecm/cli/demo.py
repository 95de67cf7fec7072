"""`ecm demo`: the journey of one child's record, shown step by step."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from ecm.admin.deployment import Deployment
from ecm.cli.options import Against, described, output
from ecm.cli.progress import shown
from ecm.local.paths import StatePaths
from ecm.local.ports import DEFAULT_HTTP_PORT, HTTP, is_free
from ecm.local.stack import Stack

FAILED, INTERRUPTED = 1, 130


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    state: Annotated[Path | None, typer.Option("--state", metavar="DIR", help="Keep the state there.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="FHIR port.")] = None,
    against: Against = None,
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything at the end, on a terminal too.")] = False,
) -> None:
    """Start a region, run the journey, and say at each step what each partner can see.

    Against a region that serves already: with a child that it doesn't know, and nothing is started or stopped.
    """
    console = output()
    if against is not None:
        raise typer.Exit(_run_against(described(against), console))
    stay = console.is_terminal and not leave
    ports = _ports(state, port, lasting=stay or state is not None)
    folder = state or Path(tempfile.mkdtemp(prefix="ecm-demo-"))
    # As after Ctrl-C: what was started is stopped, and what is temporary deleted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, _hung_up)
    status = FAILED
    try:
        status = _run(folder, ports, console, stay=stay)
    except KeyboardInterrupt:
        status = INTERRUPTED
    finally:
        if state is None:
            _discard(folder, console, failed=status == FAILED)
    raise typer.Exit(status)


def _hung_up(*_: object) -> NoReturn:
    """The terminal is gone: whatever else is said is said to nobody, and the rest is as after Ctrl-C."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(nowhere, descriptor)
    raise KeyboardInterrupt


def _ports(state: Path | None, port: int | None, *, lasting: bool) -> dict[str, int]:
    """What was said. Else a state that is new and lasts gets the guides' port, if nobody has it."""
    if port:
        return {HTTP: port}
    new = state is None or not StatePaths(state.resolve()).plan_file.exists()
    return {HTTP: DEFAULT_HTTP_PORT} if lasting and new and is_free(DEFAULT_HTTP_PORT) else {}


def _discard(folder: Path, console: Console, *, failed: bool) -> None:
    """Delete a temporary state, unless its logs are still wanted."""
    if failed:
        console.print(f"The state is kept for a look: {folder}", markup=False)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, ports: dict[str, int], console: Console, *, stay: bool) -> int:
    from ecm.demo import show  # noqa: PLC0415 - no other command should wait for its imports

    with shown(console) as observer:
        stack = Stack.start(folder, ports=ports, observer=observer)
    with stack:
        status = show.run(stack, console)
        if stay and status == 0:
            _stay(console, show.addresses(stack), show.commands_to_try(stack))
    return status


def _run_against(deployment: Deployment, console: Console) -> int:
    from ecm.demo import show  # noqa: PLC0415 - as above

    return show.run_against(deployment, console)


def _stay(console: Console, addresses: list[str], commands: list[str]) -> None:
    for title, lines in (("All of it stays up:", addresses), ("Try, in another terminal:", commands)):
        console.print(f"\n[bold]{title}[/]")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False)
    console.print("docs/ has more to try. Ctrl-C stops it.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("Stopping.")
