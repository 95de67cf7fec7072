"""`ecm migrate`."""

import os
import subprocess
import sys

import typer

from ecm.local import environment
from ecm.local.cli.options import DEFAULT_STATE, State, attached
from ecm.local.errors import LocalError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate(state: State = DEFAULT_STATE) -> None:
    """Bring the databases of a running state to the newest schema (ecm up does so by itself)."""
    stack = attached(state)
    if not stack.state.supervised:
        raise LocalError("PostgreSQL doesn't run.", "Start it: ecm up, which migrates by itself.")
    # A process of its own: services' packages are imported there, and nowhere in the command line.
    arguments = [sys.executable, "-m", "ecm.local.migrate", str(stack.paths.root), *stack.plan.services]
    status = subprocess.run(arguments, env={**os.environ, **environment.python()}, check=False).returncode
    if status != 0:
        raise LocalError(f"A migration failed (status {status}).", "What it says stands above.")
