"""The plan: what has to be created, changed and removed so that a realm is as wanted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ecm.admin.keycloak.configuration import Configuration, Item, Kind

Action = Literal["create", "update", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """One step. `fields` of an update: what each was and becomes; None where it isn't there."""

    action: Action
    kind: Kind
    name: str
    wanted: Item = field(default_factory=dict)
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def plan(wanted: Configuration, actual: Configuration) -> list[Change]:
    """The steps in their order: first what is needed by others, and removals last, in reverse. Empty: all is well.

    Only fields that are wanted are compared. What `actual` holds is ours: what isn't wanted of it is removed.
    """
    steps = [step for kind in Kind for step in _steps(kind, wanted[kind], actual[kind])]
    return [*steps, *(step for kind in reversed(Kind) for step in _removals(kind, wanted[kind], actual[kind]))]


def _steps(kind: Kind, wanted: dict[str, Item], actual: dict[str, Item]) -> Iterator[Change]:
    for name, item in sorted(wanted.items()):
        if name not in actual:
            yield Change("create", kind, name, item)
        elif fields := _fields(item, actual[name]):
            yield Change("update", kind, name, item, fields)


def _removals(kind: Kind, wanted: dict[str, Item], actual: dict[str, Item]) -> Iterator[Change]:
    for name in sorted(set(actual) - set(wanted), reverse=True):
        yield Change("remove", kind, name)


def _fields(wanted: Item, actual: Item, above: str = "") -> dict[str, tuple[Any, Any]]:
    """Where they differ, to the innermost name: `attributes.jwks.url`. On the outermost level only what is wanted."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in sorted({*wanted, *actual} if above else wanted):
        was, becomes = actual.get(name), wanted.get(name)
        if isinstance(was, dict) and isinstance(becomes, dict):
            found |= _fields(becomes, was, f"{above}{name}.")
        elif was != becomes:
            found[f"{above}{name}"] = (was, becomes)
    return found
