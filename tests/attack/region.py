"""What is attacked: a region with children in it, and what it holds counted."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ecm.demo import material
from ecm.demo.journey import Journey
from ecm.demo.steps import consenting, referring
from ecm.kit.names import SERVICES
from ecm.local.stack import Stack
from rpc.stored import OWNED, PROJECTED, count

OWNERS = tuple(service for service in SERVICES if service != "exchange")
NUMBERS = ("9990000352", "9990000360")


@dataclass
class Attacked:
    """The region; a child as psychology sees it; and another, whose record ids are told to whoever fuzzes the RPCs."""

    stack: Stack
    journey: Journey
    other: Journey
    patient: str

    @property
    def hidden(self) -> tuple[str, ...]:
        """Words of the children that nobody without a grant may be told."""
        return (self.journey.subject.family, *NUMBERS)

    def settle(self) -> None:
        """Until the exchange has done what it was told before."""
        before: dict[str, dict[str, int]] = {}
        while (now := self.stored()) != before or now["exchange"]["fetch_queue"]:
            before = now
            time.sleep(1.0)

    def stored(self) -> dict[str, dict[str, int]]:
        """Rows by service and table: commands, records, events, resources."""
        owned = {service: count(self.stack, service, OWNED) for service in OWNERS}
        return owned | {"exchange": count(self.stack, "exchange", PROJECTED)}

    @contextmanager
    def nothing_stored(self) -> Iterator[None]:
        """Fails where any service holds more, or less, afterwards."""
        self.settle()
        before = self.stored()
        yield
        self.settle()
        assert self.stored() == before


@contextmanager
def attacked(stack: Stack) -> Iterator[Attacked]:
    """Two children, both with consent."""
    journey, other = _child(stack, NUMBERS[0]), _child(stack, NUMBERS[1])
    patient = journey.psychology.patient(journey.subject.identifier)
    assert patient is not None
    yield Attacked(stack, journey, other, str(patient["id"]))
    journey.close()
    other.close()


def _child(stack: Stack, number: str) -> Journey:
    made = Journey.on(stack)
    made.subject = material.Subject("Oberon", "Tansywick", number, f"EV-{uuid.uuid4()}", made.subject.born)
    referring.register(made)
    referring.refer(made)
    consenting.consent(made)
    return made
