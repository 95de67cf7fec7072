"""What a write refers to, before and after it is looked up under the caller's consent predicate."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ecm.exchange.intake.elements import Element, Target, invariant


@dataclass(frozen=True, slots=True)
class Seen:
    """A resource that the caller can see now, and the record behind it.

    `record_version` is the version from which it was projected.
    """

    type: str
    id: UUID
    record_id: UUID
    child_id: UUID
    kind: str
    record_version: int
    version_id: str
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """A reference as written, and where it stands."""

    target: Target
    path: str


def named(element: Element, name: str, *types: str) -> Named:
    """The reference in `name`; INVARIANT where it lacks or names another type."""
    inside = element.required(name)
    inside.allow("reference", "type", "display")
    return Named(inside.target(*types), inside.at("reference"))


def named_in(element: Element, name: str, *types: str, most: int = 1) -> list[Named]:
    """The references of an array."""
    found = element.each(name, most=most)
    for reference in found:
        reference.allow("reference", "type", "display")
    return [Named(reference.target(*types), reference.at("reference")) for reference in found]


def unknown(reference: Named) -> "Exception":
    """One answer for what doesn't exist and for what the caller can't see."""
    return invariant("There is no such resource.", reference.path)
