"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ecm.local.stack import Stack

State = Annotated[
    Path, typer.Option("--state", metavar="DIR", envvar="ECM_STATE", help="The directory that holds the state.")
]
DEFAULT_STATE = Path(".ecm")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def attached(state: Path) -> Stack:
    """The stack of a state directory. Raises `LocalError` where there is none."""
    return Stack.attach(state)


def output() -> Console:
    """Where answers go: plain where they are piped."""
    return Console(highlight=False, soft_wrap=True)
