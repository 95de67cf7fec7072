"""Reads a resource element by element; a fault names the element by its path.

What isn't read isn't kept, so every element that no rule knows is refused.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ecm.kit.errors import DomainError, Reason

Json = dict[str, Any]
LONGEST_TEXT = 20_000
# Of every element: what a client may send along and nobody reads.
_ALWAYS = frozenset({"id"})
_RESOURCE = frozenset({"resourceType", "meta", "language", "text"})
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_INSTANT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$")


@dataclass(frozen=True, slots=True)
class Target:
    """What a literal reference points at."""

    type: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Element:
    """One object of the resource, and where it stands."""

    value: Json
    path: str

    def at(self, name: str) -> str:
        """The path of one of its elements."""
        return f"{self.path}.{name}"

    def allow(self, *names: str, resource: bool = False) -> None:
        """Refuses every element but these."""
        known = _ALWAYS.union(names, _RESOURCE if resource else ())
        for name in self.value:
            if name not in known:
                raise invariant(f"This exchange doesn't keep {name} here; leave it out.", self.at(name))

    def has(self, name: str) -> bool:
        """Whether the element is there."""
        return name in self.value

    def text(self, name: str, *, required: bool = False, most: int = LONGEST_TEXT) -> str:
        """A string; "" where it is absent."""
        value = self._of(name, str, required)
        if value is not None and len(value) > most:
            raise DomainError(Reason.TOO_LARGE, f"It has more than {most} characters.", field=self.at(name))
        return value or ""

    def code(self, name: str, allowed: Collection[str], *, required: bool = True) -> str:
        """A code of a required binding; "" where it is absent."""
        value = self.text(name, required=required)
        if value and value not in allowed:
            raise invariant(f"It is one of: {', '.join(sorted(allowed))}.", self.at(name))
        return value

    def decimal(self, name: str) -> Decimal:
        """A number, as it was written."""
        value = self.value.get(name)
        if value is None:
            raise missing(self.at(name))
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise invariant("It is a number.", self.at(name))
        return Decimal(value)

    def positive(self, name: str) -> int:
        """A positive integer."""
        value = self.decimal(name)
        if value != int(value) or not 1 <= value < 2**31:
            raise invariant("It is a whole number from 1.", self.at(name))
        return int(value)

    def child(self, name: str) -> "Element | None":
        """An object inside, if it is there."""
        value = self._of(name, dict, False)
        return None if value is None else Element(value, self.at(name))

    def required(self, name: str) -> "Element":
        """An object inside; MISSING_VALUE where it isn't there."""
        found = self.child(name)
        if found is None:
            raise missing(self.at(name))
        return found

    def each(self, name: str, *, least: int = 0, most: int = 500) -> list["Element"]:
        """The objects of an array."""
        found = list(self._each(name))
        if len(found) < least:
            raise missing(self.at(name)) if not found else invariant(f"At least {least} are needed.", self.at(name))
        if len(found) > most:
            raise invariant(f"At most {most} are taken here.", self.at(name))
        return found

    def codes(self, system: str) -> list[str]:
        """The codes of a CodeableConcept in that system."""
        return [code.text("code") for code in self.each("coding") if code.text("system") == system]

    def target(self, *types: str) -> Target:
        """What a Reference's `reference` names: `Type/uuid`, one of `types`."""
        kind, _, identity = self.text("reference", required=True).partition("/_history/")[0].rpartition("/")
        kind = kind.rpartition("/")[2]
        try:
            found = UUID(identity)
        except ValueError:
            found = None
        if kind not in types or found is None:
            raise invariant(f"It refers to one of: {', '.join(types)}, as Type/id.", self.at("reference"))
        return Target(kind, found)

    def day(self, name: str, zone: ZoneInfo) -> date:
        """A full day, or the day of an instant in the region's zone."""
        written = self.text(name, required=True)
        try:
            if _DAY.match(written):
                return date.fromisoformat(written)
            if _INSTANT.match(written):
                return datetime.fromisoformat(written).astimezone(zone).date()
        except (ValueError, OverflowError):
            pass
        raise invariant("It is a day, e.g. 2026-03-01, or an instant with its zone.", self.at(name))

    def _each(self, name: str) -> Iterator["Element"]:
        for n, value in enumerate(self._of(name, list, False) or ()):
            if not isinstance(value, dict):
                raise invariant("It is an object.", f"{self.at(name)}[{n}]")
            yield Element(value, f"{self.at(name)}[{n}]")

    def _of(self, name: str, kind: type, required: bool) -> Any:
        value = self.value.get(name)
        if value is None:
            if required:
                raise missing(self.at(name))
            return None
        if not isinstance(value, kind):
            raise invariant(f"It isn't a JSON {_WORDS[kind]}.", self.at(name))
        return value


_WORDS: dict[type, str] = {str: "string", dict: "object", list: "array"}


def invariant(message: str, path: str) -> DomainError:
    """INVARIANT at an element."""
    return DomainError(Reason.INVARIANT, message, field=path)


def missing(path: str) -> DomainError:
    """INVARIANT at an element that lacks: in a resource it is a broken cardinality (422), not a bad request."""
    return DomainError(Reason.INVARIANT, "It is required.", field=path)
