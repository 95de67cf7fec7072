"""`ecm secrets init`."""

from pathlib import Path
from typing import Annotated

import typer

from ecm.admin import credentials
from ecm.admin.paths import SecretPaths
from ecm.admin.region import read_region
from ecm.cli.options import output


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="Passwords and keys of a deployment.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(init)
    return group


def _group() -> None:
    """Passwords and keys of a deployment."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they are put; yours alone (0700).")],
    region: Annotated[Path, typer.Option("--region", metavar="FILE", help="The region file: its clients get some.")],
) -> None:
    """Make every password and key that a deployment in containers needs. What is there already stays."""
    clients = [client.id for client in read_region(region).clients]
    paths = SecretPaths(folder.resolve())
    credentials.ensure_for_containers(paths, clients)
    made = sum(1 for path in paths.root.rglob("*") if path.is_file())
    output().print(f"{made} files in {folder}. Keep a copy where the backups aren't.", markup=False)
