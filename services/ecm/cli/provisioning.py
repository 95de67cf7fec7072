"""`ecm databases sync` and `ecm kafka sync`: for a deployment; `ecm up` does both by itself."""

import asyncio

import typer

from ecm.admin import provisioning
from ecm.cli.options import Against, described, output


def databases() -> typer.Typer:
    """The group of PostgreSQL."""
    return _group_of("Databases and roles.", sync_databases)


def kafka() -> typer.Typer:
    """The group of Kafka."""
    return _group_of("Topics, credentials and rights.", sync_kafka)


def _group_of(help_text: str, sync: typer.models.CommandFunctionType) -> typer.Typer:
    group = typer.Typer(help=help_text, no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("sync")(sync)
    return group


def sync_databases(against: Against) -> None:
    """Make databases and roles that are missing; set passwords and rights. Waits until PostgreSQL answers."""
    asyncio.run(provisioning.sync_databases(described(against)))
    output().print("Databases and roles are as they must be.")


def sync_kafka(against: Against) -> None:
    """Bring topics, credentials and rights to what the region file says. Waits until the broker answers."""
    count = provisioning.sync_kafka(described(against))
    output().print(f"{count} topics, their principals and rights are as they must be.")
