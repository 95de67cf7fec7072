"""What goes into a mapping and what comes out: a record's version in, FHIR resources per view out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.exchange.mapping import ids
from ecm.exchange.mapping.elements import prune
from ecm.exchange.mapping.views import USUAL_VIEWS, View

Json = dict[str, Any]
M = TypeVar("M", bound=Message)
M_co = TypeVar("M_co", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class MappedResource:
    """One resource of a record, in every view in which it exists, without versionId and lastUpdated.

    `categories` are names as in `ecm-category` (none: a Patient); `only_for` is the
    one agency that may see it; `record_id` is what a grant on the record names, or
    that of what such a grant doesn't open (`ids.record_ids`).
    """

    type: str
    id: str
    record_id: UUID
    categories: tuple[str, ...]
    renditions: Mapping[View, Json]
    only_for: str | None = None


@dataclass(frozen=True, slots=True)
class MappingContext:
    """What mappings know beside the record: the region's names."""

    region: str
    identifier_base: str
    agency_kinds: Mapping[str, str]
    yot_agencies: Mapping[str, str]
    recovery_model: tuple[str, str]
    # Registered professionals (system, number) → the agency whose client may assert them.
    registrations: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # Of one record alone: the child in `minimum`, where a document is assembled.
    patient: Json | None = None

    def organization(self, agency: str) -> Json | None:
        """A reference to the agency's Organization; by name alone where the region doesn't have it."""
        if agency in self.agency_kinds:
            return dict(ids.reference(ids.directory_record(self.region), "Organization", agency))
        return {"display": agency} if agency else None

    def yot(self, yot: str) -> Json | None:
        """A reference to the Organization of a youth offending team."""
        return self.organization(self.yot_agencies.get(yot, ""))

    def practitioner(self, person: AssertedPractitioner) -> Json | None:
        """A reference to a registered professional, with the registration; None for nobody."""
        system, number = person.registration_system, person.registration
        if not number:
            return None
        named: Json = {"identifier": {"system": system, "value": number}}
        if (system, number) in self.registrations:
            named |= practitioner_reference(self.region, system, number)
        return named


def practitioner_reference(region: str, system: str, number: str) -> Json:
    """The reference of a practitioner of the directory."""
    return dict(ids.reference(ids.directory_record(region), "Practitioner", f"{system}|{number}"))


Render = Callable[[View], Json | None]
"""The resource's elements in a view; None where it doesn't exist in that view."""


@dataclass(frozen=True, slots=True)
class Source(Generic[M_co]):
    """One version of a record, unpacked."""

    record_id: UUID
    child_id: UUID
    case_id: str
    yot: str
    recorded_at: datetime
    recorded_agency: str
    content: M_co
    context: MappingContext

    def author_agency(self, author: AssertedPractitioner) -> str:
        """The author's own agency: a later version is often recorded by another (a check, a circulation)."""
        key = author.registration_system, author.registration
        return self.context.registrations.get(key, self.recorded_agency)

    @property
    def subject(self) -> ids.Reference:
        """The child's Patient."""
        return ids.patient(self.child_id)

    def own(self, resource_type: str, key: str = "") -> ids.Reference:
        """A reference to another resource of this record."""
        return ids.reference(self.record_id, resource_type, key)

    def resource(
        self,
        resource_type: str,
        render: Render,
        *categories: str,
        key: str = "",
        profile: str = "",
        views: Sequence[View] = USUAL_VIEWS,
        only_for: str | None = None,
        by_category_alone: bool = False,
    ) -> MappedResource:
        """The resource in each of `views` in which `render` gives something.

        Where it is opened `by_category_alone`, no grant on the record opens it.
        """
        identity = ids.fhir_id(self.record_id, resource_type, key)
        head = {"resourceType": resource_type, "id": identity, "meta": {"profile": [profile] if profile else []}}
        bodies = {view: render(view) for view in views}
        renditions = {view: prune(head | body) for view, body in bodies.items() if body is not None}
        record_id = ids.record_ids(self.record_id)[by_category_alone]
        return MappedResource(resource_type, identity, record_id, categories, renditions, only_for)


Mapper = Callable[[Source[Any]], list[MappedResource]]
