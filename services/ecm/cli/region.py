"""`ecm region check` and `ecm region apply`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from ecm.admin import agreements
from ecm.admin.people import people_beside
from ecm.admin.region import read_region
from ecm.cli.options import DEFAULT_STATE, Against, State, output, reached


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
    changed = asyncio.run(agreements.seed_region(reached(state, against)))
    output().print(
        f"Proposed and approved: {', '.join(changed)}." if changed else "All agreements are in force already."
    )
