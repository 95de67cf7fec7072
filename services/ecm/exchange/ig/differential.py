"""A profile as a StructureDefinition: a differential in R4's order of elements."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ecm.exchange.ig.artefact import Json, artefact
from ecm.exchange.intake.shape import MODELS
from ecm.exchange.mapping import codes

TYPES: Final = "http://hl7.org/fhir/StructureDefinition"
NONE: Final[Json] = {"max": "0"}
"""An element that may not be there."""
# Travels along with every resource, read by nobody: see `intake.elements`.
_TRAVELS: Final = frozenset({"id", "meta", "language", "text"})

Rules = tuple[tuple[str, Json], ...]
"""Paths within the type, and what an ElementDefinition says of each."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. `kept` are the elements of the type that may stand there; `rules` say more of some of them."""

    name: str
    title: str
    type: str
    kept: tuple[str, ...]
    rules: Rules

    @property
    def url(self) -> str:
        """Its canonical URL."""
        return f"{codes.CANONICAL}/StructureDefinition/{self.name}"


def definition(each: Profile) -> Json:
    """The StructureDefinition: of each element of the type what is said, and `max` 0 where it isn't kept."""
    said = dict(each.rules)
    lines = [{"id": each.type, "path": each.type, "short": each.title}]
    for name in _elements(each.type):
        if not _is_kept(name, each.kept):
            lines.append(_line(each.type, name, NONE))
            continue
        lines += [_line(each.type, path, said[path]) for path in said if path == name or path.startswith(f"{name}.")]
    return artefact(each.url, each.title) | {
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": False,
        "type": each.type,
        "baseDefinition": f"{TYPES}/{each.type}",
        "derivation": "constraint",
        "differential": {"element": lines},
    }


def _line(kind: str, path: str, rule: Json) -> Json:
    return {"id": f"{kind}.{path}", "path": f"{kind}.{path}"} | rule


def _is_kept(name: str, kept: tuple[str, ...]) -> bool:
    stem = name.removesuffix("[x]")
    chosen = name.endswith("[x]") and any(each.startswith(stem) and each[len(stem)].isupper() for each in kept)
    return name in kept or name in _TRAVELS or chosen


def _elements(kind: str) -> Iterator[str]:
    """The type's elements in R4's order, a choice of types as one: value[x]."""
    model = MODELS[kind]
    choices = {field.alias: (field.json_schema_extra or {}).get("one_of_many") for field in model.model_fields.values()}
    names = (f"{choices[name]}[x]" if choices.get(name) else name for name in model.elements_sequence())
    yield from dict.fromkeys(names)
