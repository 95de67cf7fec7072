"""The benchmark's children: the same records for every server, made once."""

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

NHS = "https://fhir.nhs.uk/Id/nhs-number"
Resource = dict[str, Any]


@dataclass(frozen=True)
class Child:
    """One Patient and the Observations about it; `id` is no resource's."""

    id: UUID
    patient: Resource
    observations: list[Resource]

    @property
    def number(self) -> str:
        """The NHS number."""
        return str(self.patient["identifier"][0]["value"])

    @property
    def resources(self) -> list[Resource]:
        """All of the child's, the Patient first."""
        return [self.patient, *self.observations]


@dataclass(frozen=True)
class Children:
    """Who may be asked for. `writers` are Patients that records are created for: nobody reads those."""

    asked: list[Child]
    writers: list[Child] = field(default_factory=list)

    def patients(self) -> list[str]:
        """Ids, in the order of asking."""
        return [str(child.patient["id"]) for child in self.asked]

    def observations(self) -> list[str]:
        """Ids, shuffled: neighbours on disk aren't neighbours in the asking."""
        found = [str(one["id"]) for child in self.asked for one in child.observations]
        random.Random(1).shuffle(found)
        return found


def make(count: int, each: int, writers: int) -> Children:
    """`count` children with `each` resources, and `writers` with one."""
    return Children(
        [_child(number, each) for number in range(count)],
        [_child(count + number, 1) for number in range(writers)],
    )


def observation(patient: str) -> Resource:
    """An Observation of some 600 bytes."""
    return {
        "resourceType": "Observation",
        "id": str(uuid4()),
        "status": "final",
        "code": {"coding": [{"system": "http://codes.invalid", "code": "ace-1"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-03-10",
        "note": [{"text": "x" * 300}],
    }


def _child(number: int, each: int) -> Child:
    patient: Resource = {
        "resourceType": "Patient",
        "id": str(uuid4()),
        "birthDate": "2012-05-05",
        "identifier": [{"system": NHS, "value": f"{9_000_000_000 + number}"}],
    }
    return Child(uuid4(), patient, [observation(patient["id"]) for _ in range(each - 1)])
