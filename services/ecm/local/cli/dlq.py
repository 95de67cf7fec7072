"""`ecm dlq`: events that a consumer has given up."""

import json
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from rich.table import Table

from ecm.api.consent.v1 import consent_events_pb2
from ecm.api.formulation.v1 import formulation_events_pb2
from ecm.api.monitoring.v1 import monitoring_events_pb2
from ecm.api.referrals.v1 import referrals_events_pb2
from ecm.kit.bus.dead_letters import PREFIX
from ecm.local import dead_letters
from ecm.local.cli.options import DEFAULT_STATE, Json, State, attached, output
from ecm.local.dead_letters import DeadLetter
from ecm.local.errors import LocalError

_EVENTS: dict[str, Any] = {
    module.RecordChanged.DESCRIPTOR.full_name: module.RecordChanged
    for module in (consent_events_pb2, formulation_events_pb2, monitoring_events_pb2, referrals_events_pb2)
}
_NOTED = ("error-class", "error-reason", "attempts", "at", "topic", "partition", "offset")

Letter = Annotated[str, typer.Argument(help="A dead letter's id, as ecm dlq list prints it.")]


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="Events that a consumer has given up.", no_args_is_help=True)
    group.callback()(_group)
    group.command("list")(list_letters)
    for command in (show, replay, discard):
        group.command()(command)
    return group


def _group() -> None:
    """Events that a consumer has given up."""


def list_letters(
    state: State = DEFAULT_STATE,
    everything: Annotated[bool, typer.Option("--all", help="Those replayed or discarded too.")] = False,
    as_json: Json = False,
) -> None:
    """List what waits for a decision: whose event, which consumer gave it up, and the error's class."""
    found = [letter for letter in dead_letters.read(attached(state)) if everything or not letter.outcome]
    if as_json:
        typer.echo(json.dumps([_described(letter) for letter in found], indent=2))
        return
    if not found:
        output().print("No dead letters.")
        return
    table = Table("id", "event", "error", "given up", "outcome", box=None, pad_edge=False)
    for letter in found:
        table.add_row(letter.id, letter.headers.get("ce_id", ""), _error(letter), letter.said("at"), letter.outcome)
    output().print(table)


def show(letter: Letter, state: State = DEFAULT_STATE) -> None:
    """Print one as JSON: the error, whence it came, and the event itself, which holds ids alone."""
    typer.echo(json.dumps(_described(dead_letters.find(attached(state), letter)), indent=2))


def replay(
    letter: Annotated[str, typer.Argument(help="Its id; left out with --all.")] = "",
    state: State = DEFAULT_STATE,
    everything: Annotated[bool, typer.Option("--all", help="Every one that waits, the oldest first.")] = False,
) -> None:
    """Send an event again, once what it failed by is mended. Consumers that have had it do nothing."""
    stack = attached(state)
    if bool(letter) == everything:
        raise LocalError("Which dead letter?", "Say one id, or --all.")
    waiting = [one for one in dead_letters.read(stack) if not one.outcome]
    for one in waiting if everything else [dead_letters.find(stack, letter)]:
        dead_letters.replay(stack, one)
        output().print(f"{one.id} was sent again to {one.said('topic')}.")


def discard(
    letter: Letter,
    why: Annotated[str, typer.Option("--why", help="Kept with it: why the event needs no effect. No personal detail.")],
    state: State = DEFAULT_STATE,
) -> None:
    """Set one aside: the event needs no effect any more. It stays on its topic, with the reason."""
    stack = attached(state)
    if not why.strip():
        raise LocalError("Why does it need no effect?", "Say it: --why TEXT.")
    dead_letters.discard(stack, dead_letters.find(stack, letter), why.strip())
    output().print(f"{letter} was set aside.")


def _error(letter: DeadLetter) -> str:
    return " ".join(filter(None, (letter.said("error-class"), letter.said("error-reason"))))


def _described(letter: DeadLetter) -> dict[str, Any]:
    headers = {name: value for name, value in letter.headers.items() if not name.startswith(PREFIX)}
    return {
        "id": letter.id,
        "consumer": letter.consumer,
        **{name.replace("-", "_"): letter.said(name) for name in _NOTED},
        "outcome": letter.outcome,
        "why": letter.why,
        "event": {**headers, "key": letter.key.decode("utf-8", "replace"), "content": _content(letter)},
    }


def _content(letter: DeadLetter) -> dict[str, Any] | None:
    """The thin event; None for what is none of ours."""
    kind = _EVENTS.get(letter.headers.get("ce_type", ""))
    if kind is None:
        return None
    try:
        return dict(MessageToDict(kind.FromString(letter.value), preserving_proto_field_name=True))
    except DecodeError:
        return None
