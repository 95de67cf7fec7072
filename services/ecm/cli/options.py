"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ecm.admin.deployment import Deployment
from ecm.admin.errors import OperatorError
from ecm.admin.running import RunningRegion
from ecm.local.stack import Stack

State = Annotated[
    Path, typer.Option("--state", metavar="DIR", envvar="ECM_STATE", help="The directory that holds the state.")
]
DEFAULT_STATE = Path(".ecm")

Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FILE",
        envvar="ECM_AGAINST",
        help="A region that serves elsewhere, as this file of ECM_…=… lines says (deploy/compose/outside.env).",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def attached(state: Path) -> Stack:
    """The stack of a state directory. Raises `OperatorError` where there is none."""
    return Stack.attach(state)


def described(against: Path | None) -> Deployment:
    """The deployment that a file describes. Raises `OperatorError` where none is named, or it isn't right."""
    if against is None:
        raise OperatorError("Which deployment?", "Say it: --against FILE (deploy/compose/outside.env), or ECM_AGAINST.")
    return Deployment.described(against)


def reached(state: Path, against: Path | None) -> RunningRegion:
    """The deployment where one is named, else the state's region. Raises `OperatorError`."""
    return described(against) if against else attached(state)


def output() -> Console:
    """Where answers go: plain where they are piped."""
    return Console(highlight=False, soft_wrap=True)
