"""Shows the journey on a console: a line per step, what happened, and what each partner can see now."""

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx
from rich.console import Console

from ecm.admin.errors import OperatorError
from ecm.admin.running import RunningRegion
from ecm.demo.journey import Journey, JourneyError, Step
from ecm.demo.material import second_subject
from ecm.demo.steps import consenting, referring
from ecm.demo.story import STEPS
from ecm.demo.subjects import is_known, unknown


def run(region: RunningRegion, console: Console) -> int:
    """Take the ten steps in a state that `ecm up` can serve; 0 where all ended as they must, else 1."""

    def begin(journey: Journey) -> bool:
        if not is_known(journey, journey.subject):
            second_child(region)
            return True
        console.print("This state has the journey's record already, and the journey begins with none.", highlight=False)
        console.print(f"Serve it: ecm up --state {region.folder}. Or begin in another.", highlight=False)
        return False

    return _told(Journey.on(region), console, begin, f"ecm logs --state {region.folder}")


def run_against(region: RunningRegion, console: Console) -> int:
    """Take the ten steps on a region that serves, about a child that it doesn't know; 0 where all ended well."""

    def begin(journey: Journey) -> bool:
        journey.subject = unknown(journey)
        for partner in (journey.psychology, journey.local_authority):
            partner.pass_over_events()
        return True

    return _told(Journey.on(region), console, begin, "the logs of its services")


def _told(journey: Journey, console: Console, begin: Callable[[Journey], bool], logs: str) -> int:
    """The status of a journey whose steps are shown one by one; `begin` says whether it can be taken."""
    try:
        if not begin(journey):
            return 1
        _take(console, journey)
    except (JourneyError, OperatorError, grpc.RpcError, httpx.HTTPError) as error:
        console.print(f"[red]The journey stopped: {_words(error)}[/red]", highlight=False)
        console.print(f"What the parts logged: {logs}", highlight=False)
        return 1
    finally:
        journey.close()
    console.print("All ten steps ended as they must.")
    return 0


def _take(console: Console, journey: Journey) -> None:
    for number, step in enumerate(STEPS, start=1):
        _show(console, number, step, journey)


def addresses(region: RunningRegion) -> list[str]:
    """Where the parts listen: a line each."""
    return [f"{part}: {address}" for part, address in sorted(region.addresses.items())]


def commands_to_try(region: RunningRegion) -> list[str]:
    """Ready-made commands that show something: a second child of the demo keeps their consent.

    The first makes `ecm` of this environment, and this state, those of the terminal that they are run in.
    """
    scripts, state = shlex.quote(str(Path(sys.executable).parent)), shlex.quote(str(region.folder))
    subject = second_subject(Journey.on(region).today)
    slug = region.load_region().slug
    fhir = region.addresses["fhir"]
    return [
        f'export PATH={scripts}:"$PATH" ECM_STATE={state}',
        f'curl -s -H "Authorization: Bearer $(ecm token --client nhs-psychology)" '
        f"'{fhir}/Patient?identifier={subject.identifier}'",
        f'grpcurl -plaintext -H "authorization: Bearer $(ecm token --person case-manager)" '
        f'-d \'{{"identifier":{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{subject.nhs_number}"}}}}\' '
        f"{region.addresses['referrals']} ecm.api.referrals.v1.ReferralsService/FindChildren",
        f"ecm consume --client nhs-psychology   # ecm.{slug}.client.nhs-psychology.v1",
    ]


def second_child(region: RunningRegion) -> None:
    """The same beginning for another child, whose consent stays: for the commands at the end."""
    journey = Journey.on(region)
    journey.subject = second_subject(journey.today)
    try:
        for take in (referring.register, referring.refer, consenting.nothing_before, consenting.consent):
            take(journey)
    finally:
        journey.close()


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
