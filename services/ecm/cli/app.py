"""`ecm`: its commands, and how an error is said."""

import sys

import typer
from rich.console import Console

from ecm.admin.errors import OperatorError
from ecm.cli import (
    audit,
    consume,
    demo,
    dlq,
    grants,
    ig,
    inspect,
    keycloak,
    migrate,
    provisioning,
    region,
    secrets,
    serve,
    token,
)


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="ecm",
        help="Enhanced Case Management records, exchanged as far as consent reaches.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for module in (serve, inspect, token, consume, migrate, demo):
        module.register(app)
    app.add_typer(region.build(), name="region")
    app.add_typer(audit.build(), name="audit")
    app.add_typer(grants.build(), name="grants")
    app.add_typer(dlq.build(), name="dlq")
    app.add_typer(ig.build(), name="ig")
    app.add_typer(keycloak.build(), name="keycloak")
    app.add_typer(secrets.build(), name="secrets")
    app.add_typer(provisioning.databases(), name="databases")
    app.add_typer(provisioning.kafka(), name="kafka")
    return app


def main() -> None:
    """Run one command; a `OperatorError` is said in words, with status 1."""
    try:
        build()()
    except OperatorError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"[bold red]ecm:[/] {_plain(error.message)}", emoji=False)
        if error.hint:
            console.print(f"     {_plain(error.hint)}", emoji=False)
        sys.exit(1)


def _plain(text: str) -> str:
    """Text as it is: square brackets are no markup."""
    return text.replace("[", r"\[")
