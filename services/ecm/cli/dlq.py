"""`ecm dlq`: events that a consumer has given up."""

import json
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from rich.table import Column, Table

from ecm.admin import dead_letters
from ecm.admin.dead_letters import DeadLetter
from ecm.admin.errors import OperatorError
from ecm.api.consent.v1 import consent_events_pb2
from ecm.api.formulation.v1 import formulation_events_pb2
from ecm.api.monitoring.v1 import monitoring_events_pb2
from ecm.api.referrals.v1 import referrals_events_pb2
from ecm.cli.options import DEFAULT_STATE, Against, Json, State, output, reached
from ecm.kit.bus.dead_letters import PREFIX

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
    against: Against = None,
    everything: Annotated[bool, typer.Option("--all", help="Those replayed or discarded too.")] = False,
    as_json: Json = False,
) -> None:
    """List what waits for a decision: whose event, which consumer gave it up, and the error's class."""
    found = [letter for letter in dead_letters.read(reached(state, against)) if everything or not letter.outcome]
    if as_json:
        typer.echo(json.dumps([_described(letter) for letter in found], indent=2))
        return
    if not found:
        output().print("No dead letters.")
        return
    # An id is copied from here: it stays whole, whatever room there is.
    named = (Column("id", no_wrap=True), *(Column(name, overflow="fold") for name in ("event", "error", "given up")))
    table = Table(*named, "outcome", box=None, pad_edge=False)
    for letter in found:
        table.add_row(letter.id, letter.headers.get("ce_id", ""), _error(letter), letter.said("at"), letter.outcome)
    output().print(table)


def show(letter: Letter, state: State = DEFAULT_STATE, against: Against = None) -> None:
    """Print one as JSON: the error, whence it came, and the event itself, which holds ids alone."""
    typer.echo(json.dumps(_described(dead_letters.find(reached(state, against), letter)), indent=2))


def replay(
    letter: Annotated[str, typer.Argument(help="Its id; left out with --all.")] = "",
    state: State = DEFAULT_STATE,
    against: Against = None,
    everything: Annotated[bool, typer.Option("--all", help="Every one that waits, the oldest first.")] = False,
) -> None:
    """Send an event again, once what it failed by is mended. Consumers that have had it do nothing."""
    served = reached(state, against)
    if bool(letter) == everything:
        raise OperatorError("Which dead letter?", "Say one id, or --all.")
    waiting = [one for one in dead_letters.read(served) if not one.outcome]
    for one in waiting if everything else [dead_letters.find(served, letter)]:
        dead_letters.replay(served, one)
        output().print(f"{one.id} was sent again to {one.said('topic')}.")


def discard(
    letter: Letter,
    why: Annotated[str, typer.Option("--why", help="Kept with it: why the event needs no effect. No personal detail.")],
    state: State = DEFAULT_STATE,
    against: Against = None,
) -> None:
    """Set one aside: the event needs no effect any more. It stays on its topic, with the reason."""
    served = reached(state, against)
    if not why.strip():
        raise OperatorError("Why does it need no effect?", "Say it: --why TEXT.")
    dead_letters.discard(served, dead_letters.find(served, letter), why.strip())
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
