"""`ecm up` and `ecm down`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ecm.admin.keycloak.settings import KeycloakSettings
from ecm.cli.keycloak import print_plan
from ecm.cli.options import DEFAULT_STATE, State, output
from ecm.cli.progress import shown
from ecm.local import lifetime, realm, supervisor
from ecm.local import plan as plans
from ecm.local import stack as stacks
from ecm.local.paths import StatePaths
from ecm.local.plan import Plan
from ecm.local.ports import DEFAULT_HTTP_PORT, HTTP
from ecm.local.stack import Stack
from ecm.local.state import RunState


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)


def up(
    *,
    state: State = DEFAULT_STATE,
    detach: Annotated[bool, typer.Option("--detach", help="Return once all is healthy; ecm down ends it.")] = False,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="FHIR port (8080 at first).")] = None,
    region: Annotated[Path | None, typer.Option("--region", metavar="FILE", help="The region file.")] = None,
    fresh_ports: Annotated[bool, typer.Option("--fresh-ports", help="Choose new internal ports.")] = False,
    keycloak: Annotated[
        str | None,
        typer.Option("--keycloak", metavar="URL", help="Tokens are this Keycloak's; '': the issuer's of ecm up again."),
    ] = None,
) -> None:
    """Start PostgreSQL, Kafka, the issuer and the five services, and keep them running.

    With --keycloak the region's realm is made there, and kept as the region file says, like ecm keycloak sync does
    and with the same environment; it is remembered.
    """
    console = output()
    paths = StatePaths(state.resolve())
    ports = {HTTP: port or _remembered_port(paths)}
    forgotten = "" if keycloak == "" else None
    plan = stacks.prepare(paths, region=region, chosen_ports=ports, fresh_ports=fresh_ports, keycloak=forgotten)
    if keycloak:
        plan = realm.join(paths, plan, keycloak, KeycloakSettings(), print_plan)
    if detach:
        with shown(console) as observer:
            running = Stack.start(state, detach=True, observer=observer)
        _say_ready(console, running.plan)
        return
    with shown(console) as observer:
        asyncio.run(_serve(paths, plan, console, observer))


def down(state: State = DEFAULT_STATE) -> None:
    """Stop everything of a state; its data stay."""
    console = output()
    paths = Stack.attach(state).paths
    ended = lifetime.stop(paths)
    with supervisor.only_one(paths):
        supervisor.end_orphans(paths)
    console.print("Stopped." if ended else "Nothing ran.")


async def _serve(paths: StatePaths, plan: Plan, console: Console, observer: lifetime.Observer) -> None:
    """Serve in this process: it is the supervisor."""
    said = False

    def observe(now: RunState) -> None:
        nonlocal said
        observer(now)
        if now.phase == "healthy" and not said:
            said = True
            _say_ready(console, plan)
            console.print("Ctrl-C stops it.")

    await supervisor.Supervisor(paths, plan, observe).run()


def _say_ready(console: Console, plan: Plan) -> None:
    console.print(f"FHIR base: {plan.fhir_base}", markup=False)


def _remembered_port(paths: StatePaths) -> int:
    old = plans.load(paths) if paths.plan_file.exists() else None
    return old.ports.get(HTTP, DEFAULT_HTTP_PORT) if old else DEFAULT_HTTP_PORT
