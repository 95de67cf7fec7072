"""`ecm grants explain`."""

import asyncio
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToJson
from rich.table import Table

from ecm.admin import questions
from ecm.api.common.v1.values_pb2 import Category, View
from ecm.api.consent.v1.consent_service_pb2 import CategoryExplanation
from ecm.cli.options import DEFAULT_STATE, Against, Json, State, output, reached


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="What consent and agreements open.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(explain)
    return group


def _group() -> None:
    """What consent and agreements open."""


def explain(
    child: Annotated[str, typer.Argument(help="The child's record id.")],
    agency: Annotated[str, typer.Argument(help="An agency of the region file.")],
    state: State = DEFAULT_STATE,
    against: Against = None,
    as_json: Json = False,
) -> None:
    """Say in plain words why an agency sees or doesn't see each category of a child."""
    answer = asyncio.run(questions.explain_grants(reached(state, against), child, agency))
    if as_json:
        typer.echo(MessageToJson(answer, always_print_fields_with_no_presence=True))
        return
    table = Table("what", "sees it", "view", "why", box=None, pad_edge=False)
    for entry in answer.categories:
        table.add_row(_what(entry), "[green]yes[/]" if entry.permitted else "[red]no[/]", _view(entry), entry.reason)
    output().print(table)


def _what(entry: CategoryExplanation) -> str:
    if entry.record_id:
        return f"record {entry.record_id}"
    return Category.Name(entry.category).removeprefix("CATEGORY_").lower().replace("_", "-")


def _view(entry: CategoryExplanation) -> str:
    return View.Name(entry.view).removeprefix("VIEW_").lower() if entry.permitted else "-"
