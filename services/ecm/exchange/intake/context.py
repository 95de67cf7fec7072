"""What the writing of a command needs besides the resource."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.exchange.intake.elements import Target
from ecm.exchange.intake.references import Named, Seen, unknown
from ecm.exchange.mapping import ids
from ecm.exchange.mapping.resource import practitioner_reference
from ecm.kit.region import Region


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the client, its agency, and the professional whom it asserts."""

    region: Region
    client: str
    agency: str
    author: AssertedPractitioner | None = None

    @property
    def organization(self) -> str:
        """The agency's Organization, as a reference."""
        return ids.reference(ids.directory_record(self.region.slug), "Organization", self.agency)["reference"]

    @property
    def practitioner(self) -> str:
        """The author's Practitioner, as a reference; "" without one."""
        if self.author is None:
            return ""
        system, number = self.author.registration_system, self.author.registration
        return str(practitioner_reference(self.region.slug, system, number)["reference"])


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked up: the references, the child's case, the own invitation, what is updated."""

    seen: Mapping[Target, Seen]
    case_id: UUID | None = None
    invitation_id: UUID | None = None
    updated: Seen | None = None
    expected_version: int = 0

    def __call__(self, reference: Named) -> Seen:
        """What the caller sees there; INVARIANT where that is nothing."""
        found = self.seen.get(reference.target)
        if found is None:
            raise unknown(reference)
        return found
