"""`ecm keycloak sync`."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ecm.admin.keycloak import sync as syncing
from ecm.admin.keycloak.difference import Change
from ecm.admin.keycloak.keys import Keys
from ecm.admin.keycloak.settings import KeycloakSettings
from ecm.admin.keycloak.wanted import Wish
from ecm.admin.people import load_people
from ecm.admin.region import read_region
from ecm.cli.options import Json, output

SIGNS = {"create": "+", "update": "~", "remove": "-"}
MANY = 10


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="Keycloak, as a region's issuer.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command()(sync)
    return group


def sync(
    *,
    server: Annotated[str, typer.Option("--server", metavar="URL", help="Where Keycloak answers.")],
    region: Annotated[Path, typer.Option("--region", metavar="FILE", help="The region file.")],
    fhir_base: Annotated[
        str,
        typer.Option("--fhir-base", metavar="URL", envvar="ECM_FHIR_BASE", help="The audience of partners' tokens."),
    ],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR", help="Public keys: CLIENT.jwk.json, a JWK or a JWK set.")
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option(
            "--people",
            metavar="FILE",
            envvar="ECM_PEOPLE_FILE",
            help="The demo's people.yaml; without it there are none.",
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the region's realm to what the region file says: makes, repairs, removes.

    The administrator comes from the environment: ECM_KEYCLOAK_ADMIN_PASSWORD_FILE (with ECM_KEYCLOAK_ADMIN_USERNAME,
    admin unless said), or ECM_KEYCLOAK_ADMIN_CLIENT_ID with ECM_KEYCLOAK_ADMIN_CLIENT_SECRET_FILE.
    """
    settings = KeycloakSettings()
    listed = load_people(people) if people else None
    wish = Wish(read_region(region), fhir_base, Keys(keys), listed, settings.people_password())
    found = syncing.look(server, settings, wish)
    if as_json:
        typer.echo(json.dumps({"realm": wish.region.slug, "changes": [_shown(one) for one in found.changes]}, indent=2))
    else:
        print_plan(found)
    if not plan:
        found.carry_out()
        if not as_json and found.changes:
            output().print(f"Done: {len(found.changes)} changes.")


def print_plan(found: syncing.Sync) -> None:
    """What would be done, in lines: many things of one kind are counted."""
    console, changes = output(), found.changes
    console.print(f"Realm {found.wish.region.slug}: {len(changes) or 'no'} changes.")
    alike = Counter((change.action, change.kind) for change in changes)
    for (action, kind), count in alike.items():
        if action != "update" and count > MANY:
            console.print(f"{SIGNS[action]} {count} {kind.value}s", markup=False)
    for change in changes:
        if change.action == "update" or alike[change.action, change.kind] <= MANY:
            console.print(f"{SIGNS[change.action]} {change.kind.value} {change.name}", markup=False)
        for name, (was, becomes) in change.fields.items():
            console.print(f"    {name}: {_text(was)} → {_text(becomes)}", markup=False)


def _text(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _shown(change: Change) -> dict[str, Any]:
    fields = {name: {"was": was, "becomes": becomes} for name, (was, becomes) in change.fields.items()}
    return {"action": change.action, "kind": change.kind.value, "name": change.name, "fields": fields}
