"""Shows the journey on a console: a line per step, what happened, and what each partner can see now."""

import shlex
import sys
import time
from pathlib import Path

import grpc
import httpx
from rich.console import Console

from ecm.api.common.v1.values_pb2 import Identifier
from ecm.api.referrals.v1.referrals_service_pb2 import FindChildrenRequest
from ecm.local.demo.journey import Journey, JourneyError, Step
from ecm.local.demo.material import NHS_NUMBER_SYSTEM, second_subject
from ecm.local.demo.steps import consenting, referring
from ecm.local.demo.story import STEPS
from ecm.local.stack import Stack


def run(stack: Stack, console: Console) -> int:
    """Take the ten steps on a running region; 0 where all ended as they must, else 1."""
    journey = Journey.on(stack)
    try:
        if _taken_before(journey):
            console.print(
                "This state has the journey's record already, and the journey begins with none.", highlight=False
            )
            console.print(f"Serve it: ecm up --state {stack.paths.root}. Or begin in another.", highlight=False)
            return 1
        second_child(stack)
        for number, step in enumerate(STEPS, start=1):
            _show(console, number, step, journey)
    except (JourneyError, grpc.RpcError, httpx.HTTPError) as error:
        console.print(f"[red]The journey stopped: {_words(error)}[/red]", highlight=False)
        console.print(f"What the parts logged: ecm logs --state {stack.paths.root}", highlight=False)
        return 1
    finally:
        journey.close()
    console.print("All ten steps ended as they must.")
    return 0


def addresses(stack: Stack) -> list[str]:
    """Where the parts listen: a line each."""
    return [f"{part}: {address}" for part, address in sorted(stack.addresses.items())]


def commands_to_try(stack: Stack) -> list[str]:
    """Ready-made commands that show something: a second child of the demo keeps their consent.

    The first makes `ecm` of this environment, and this state, those of the terminal that they are run in.
    """
    scripts, state = shlex.quote(str(Path(sys.executable).parent)), shlex.quote(str(stack.paths.root))
    subject = second_subject(Journey.on(stack).today)
    slug = stack.plan.load_region().slug
    fhir = stack.addresses["fhir"]
    return [
        f'export PATH={scripts}:"$PATH" ECM_STATE={state}',
        f'curl -s -H "Authorization: Bearer $(ecm token --client nhs-psychology)" '
        f"'{fhir}/Patient?identifier={subject.identifier}'",
        f'grpcurl -plaintext -H "authorization: Bearer $(ecm token --person case-manager)" '
        f'-d \'{{"identifier":{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{subject.nhs_number}"}}}}\' '
        f"{stack.addresses['referrals']} ecm.api.referrals.v1.ReferralsService/FindChildren",
        f"ecm consume --client nhs-psychology   # ecm.{slug}.client.nhs-psychology.v1",
    ]


def second_child(stack: Stack) -> None:
    """The same beginning for another child, whose consent stays: for the commands at the end."""
    journey = Journey.on(stack)
    journey.subject = second_subject(journey.today)
    try:
        for take in (referring.register, referring.refer, consenting.nothing_before, consenting.consent):
            take(journey)
    finally:
        journey.close()


def _taken_before(journey: Journey) -> bool:
    number = Identifier(system=NHS_NUMBER_SYSTEM, value=journey.subject.nhs_number)
    request = FindChildrenRequest(identifier=number)
    return bool(journey.yot.call(referring.MANAGER, journey.yot.referrals.FindChildren, request).refs)


def _show(console: Console, number: int, step: Step, journey: Journey) -> None:
    began = time.monotonic()
    lines = step.take(journey)
    console.print(
        f"[bold]{number:2}. {step.title}[/bold]  [dim]{time.monotonic() - began:.1f} s[/dim]", highlight=False
    )
    for line in lines:
        console.print(f"    {line}", highlight=False, markup=False)
    for client, sight in journey.sights().items():
        console.print(f"    [cyan]{client}[/cyan] sees: {sight}", highlight=False)


def _words(error: Exception) -> str:
    if isinstance(error, grpc.Call):
        return f"{error.code().name}: {error.details()}"
    return str(error)
