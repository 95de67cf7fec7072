"""`ecm region check` and `ecm region apply`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from ecm.local import seed
from ecm.local.cli.options import DEFAULT_STATE, Against, State, output, reached
from ecm.local.issuer.people import people_beside
from ecm.local.plan import read_region


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="The region file.", no_args_is_help=True)
    group.command()(check)
    group.command()(apply)
    return group


def check(file: Annotated[Path, typer.Argument(help="A region.yaml.")]) -> None:
    """Check a region file, and people.yaml beside it, against the schema and against themselves."""
    region = read_region(file)
    people = people_beside(file)
    output().print(
        f"{file} is right: region {region.slug}, {len(region.agencies)} agencies, {len(region.yots)} YOTs, "
        f"{len(region.clients)} clients, {len(region.agreements)} proposed agreements, {len(people)} people.",
        markup=False,
    )


def apply(state: State = DEFAULT_STATE, against: Against = None) -> None:
    """Submit the region file's agreements to consent: proposed by the administrator, approved by the
    data-protection officer. Here both are the demo's people."""
    changed = asyncio.run(seed.seed_region(reached(state, against)))
    output().print(
        f"Proposed and approved: {', '.join(changed)}." if changed else "All agreements are in force already."
    )
