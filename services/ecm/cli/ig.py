"""`ecm ig build`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ecm.cli.options import output

DEFAULT_OUT = Path("build/ig")


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="The FHIR implementation guide.", no_args_is_help=True)
    group.callback()(_group)
    group.command("build")(write)
    return group


def _group() -> None:
    """The FHIR implementation guide: own profiles, extensions, codes and questionnaires."""


def write(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the definitions are written.")] = DEFAULT_OUT,
) -> None:
    """Write every own definition as JSON, a file each, and openapi.json; files of an earlier build are replaced."""
    from ecm.exchange.ig import definitions, file_name, openapi  # noqa: PLC0415 - no other command should wait for its imports

    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.json"):
        old.unlink()
    made = definitions()
    for name, content in [*((file_name(each), each) for each in made), ("openapi.json", openapi())]:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (out / name).write_text(text, encoding="utf-8")
    output().print(f"{len(made)} definitions in {out}.", markup=False)
