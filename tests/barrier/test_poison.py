"""A newer version that can't be mapped hides the record: the version before might show what the newer took away."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from barrier.changes import Changes
from barrier.children import Child, another
from barrier.ground import Ground
from barrier.record import Record
from barrier.run import Run
from ecm.demo.partner import Partner

pytestmark = pytest.mark.barrier

SECONDS = 60.0
EXCHANGES = ("exchange", "exchange-2")


def test_it_is_hidden_by_every_route_and_worker(run: Run) -> None:
    ground = run.ground
    # Of those that runs have changed at random it isn't certain what is open.
    child = another(ground, len(run.children))
    change = Changes(ground, child, Record(), random.Random(0), threading.Event())
    change.shown()
    asking = child.journey.psychology
    paths = addresses(child)
    assert all(shown(ground, asking, path) == EXCHANGES for path in paths), "all of them show it now"
    with ground.mutated("cannot-map-children", *EXCHANGES):
        change.change("restriction")
        until(lambda: not any(shown(ground, asking, path) for path in paths))
        until(lambda: last_told(asking, paths[-1]) == "unavailable")
        assert asking.matches("Observation", patient=paths[0].removeprefix("Patient/")), "what can be mapped stays"
    change.change("restriction")
    until(lambda: shown(ground, asking, paths[0]) == EXCHANGES)


def addresses(child: Child) -> list[str]:
    """Of the Patient, by every route."""
    number, asking = child.journey.subject.identifier, child.journey.psychology
    patient = asking.patient(number)
    assert patient is not None
    path = f"Patient/{patient['id']}"
    return [
        path,
        f"{path}/_history/{patient['meta']['versionId']}",
        f"Patient?_id={patient['id']}",
        f"Patient?identifier={number}",
        f"{path}/$everything",
        dataref(asking, patient["id"]),
    ]


def dataref(asking: Partner, patient_id: str) -> str:
    """The address in the events of the Patient."""
    known = dict.fromkeys(event.dataref for event in asking.events() if event.dataref)
    found = ((address, asking.get(address)) for address in known)
    return next(address for address, answer in found if answer.is_success and answer.json()["id"] == patient_id)


def last_told(asking: Partner, address: str) -> str:
    """What the topic said last of an address."""
    return [event.type for event in asking.events(seconds=1.0) if event.dataref == address][-1]


def shown(ground: Ground, asking: Partner, path: str) -> tuple[str, ...]:
    """The workers that show a Patient there."""
    below = path.rsplit("/fhir/", maxsplit=1)[-1]
    answers = {name: asking.get(f"{base}/fhir/{below}") for name, base in sorted(ground.workers.items())}
    assert all(answer.status_code in (200, 404) for answer in answers.values())
    return tuple(name for name, answer in answers.items() if answer.is_success and _has_patient(answer.json()))


def _has_patient(body: dict[str, Any]) -> bool:
    inside = [entry["resource"] for entry in body.get("entry", [])]
    return any(one["resourceType"] == "Patient" for one in (body, *inside))


def until(condition: Callable[[], Any]) -> None:
    """Waits for it."""
    over = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < over, "It doesn't come to that."
        time.sleep(0.2)
