"""`ecm migrate`."""

import asyncio
import os
import subprocess
import sys

import typer

from ecm.admin import provisioning
from ecm.admin.deployment import Deployment
from ecm.admin.errors import OperatorError
from ecm.cli.options import DEFAULT_STATE, Against, State, attached, described, output
from ecm.local import environment


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate(state: State = DEFAULT_STATE, against: Against = None) -> None:
    """Bring the databases of a running region to the newest schema (ecm up does so by itself)."""
    if against is not None:
        _migrate(described(against))
        return
    stack = attached(state)
    if not stack.state.supervised:
        raise OperatorError("PostgreSQL doesn't run.", "Start it: ecm up, which migrates by itself.")
    # A process of its own: services' packages are imported there, and nowhere in the command line.
    arguments = [sys.executable, "-m", "ecm.local.migrate", str(stack.paths.root), *stack.plan.services]
    status = subprocess.run(arguments, env={**os.environ, **environment.python()}, check=False).returncode
    if status != 0:
        raise OperatorError(f"A migration failed (status {status}).", "What it says stands above.")


def _migrate(deployment: Deployment) -> None:
    console = output()
    asyncio.run(provisioning.migrate_databases(deployment, lambda service: console.print(f"{service}: migrated")))
