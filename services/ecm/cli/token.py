"""`ecm token`: an access token and nothing else, so that it fits into `$(…)`."""

from typing import Annotated

import typer

from ecm.admin.errors import OperatorError
from ecm.cli.options import DEFAULT_STATE, Against, State, reached


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(token)


def token(
    *,
    state: State = DEFAULT_STATE,
    against: Against = None,
    client: Annotated[str, typer.Option("--client", help="A client of the region file, or a service.")] = "",
    person: Annotated[str, typer.Option("--person", help="One of the demo's people, for gRPC.")] = "",
    scope: Annotated[str, typer.Option("--scope", help="Scopes, separated by blanks; all of them by default.")] = "",
    audience: Annotated[str, typer.Option("--audience", help="The service to call, for a service's token.")] = "",
) -> None:
    """Print an access token; it lives 300 seconds."""
    if bool(client) == bool(person):
        raise OperatorError("Whose token?", "Say one of --client nhs-psychology and --person case-manager.")
    typer.echo(reached(state, against).token(client=client, person=person, scope=scope, audience=audience))
