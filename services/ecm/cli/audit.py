"""`ecm audit verify`."""

import asyncio

import typer
from google.protobuf.json_format import MessageToJson

from ecm.admin import questions
from ecm.cli.options import DEFAULT_STATE, Against, Json, State, output, reached

BROKEN = 2


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="Who saw what.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(verify)
    return group


def _group() -> None:
    """Who saw what."""


def verify(state: State = DEFAULT_STATE, against: Against = None, as_json: Json = False) -> None:
    """Verify the audit's chain and its checkpoints. Status 2 where they don't hold."""
    answer = asyncio.run(questions.verify_audit(reached(state, against)))
    if as_json:
        typer.echo(MessageToJson(answer, always_print_fields_with_no_presence=True))
    else:
        console = output()
        console.print(
            f"{'[green]The audit holds[/]' if answer.valid else '[bold red]The audit does not hold[/]'}: "
            f"{answer.rows_verified} rows and {answer.checkpoints_verified} checkpoints verified, "
            f"{answer.rows_unsealed} not sealed yet."
        )
        for fault in answer.faults:
            console.print(f"  {fault}", markup=False)
    if not answer.valid:
        raise typer.Exit(BROKEN)
