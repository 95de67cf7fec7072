"""Inside a resource: what `fhir.resources` lets through and R4, or this exchange, doesn't.

https://hl7.org/fhir/R4/datatypes.html, …/json.html, …/extensibility.html
"""

import re
from decimal import Decimal
from typing import Any, Final

from ecm.exchange.intake.elements import Json, invariant
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.vocabulary import CODE_SYSTEMS

# Where R4 has a number or a boolean among what is kept; everywhere else it is coerced from one.
_NUMBERS: Final = frozenset({"value", "size", "valuePositiveInt", "valueInteger", "valueDecimal"})
_BOOLEANS: Final = frozenset({"userSelected", "valueBoolean"})
_ABSOLUTE: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")
# The one place below the root where an extension is read: see `plans`.
_READ: Final = re.compile(r"^CarePlan\.activity\[\d+\]\.detail$")
# http://terminology.hl7.org/CodeSystem/observation-category
_OBSERVATION_CATEGORIES: Final = frozenset(
    {"social-history", "vital-signs", "imaging", "laboratory", "procedure", "survey", "exam", "therapy", "activity"}
)


def check_datatypes(resource: Json, kind: str) -> None:
    """INVARIANT names the first element that is at fault."""
    for name, value in resource.items():
        _check(name, value, f"{kind}.{name}")


def _check(name: str, value: Any, path: str) -> None:
    if name.startswith("_"):
        raise invariant("This exchange doesn't keep extensions of a value; leave it out.", path)
    if isinstance(value, list):
        for n, inner in enumerate(value):
            _check(name, inner, f"{path}[{n}]")
    elif isinstance(value, dict):
        _check_object(value, path)
    else:
        _check_primitive(name, value, path)


def _check_object(value: Json, path: str) -> None:
    for name, inner in value.items():
        if name in ("extension", "modifierExtension") and not _READ.match(path):
            raise invariant("This exchange doesn't keep extensions here; leave it out.", f"{path}.{name}")
        _check(name, inner, f"{path}.{name}")
    for n, coding in enumerate(value.get("coding", ())):
        if not _is_known(coding):
            raise invariant(f"{coding['system']} has no such code.", f"{path}.coding[{n}].code")


def _check_primitive(name: str, value: Any, path: str) -> None:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if (number and name not in _NUMBERS) or isinstance(value, bool) != (name in _BOOLEANS):
        raise invariant("It isn't of the JSON type that R4 wants here.", path)
    if name == "system" and not _ABSOLUTE.match(str(value)):
        raise invariant("It is an absolute URI.", path)


def _is_known(coding: Json) -> bool:
    """Whether the code is one of its system's, as far as the system is known here."""
    system = coding.get("system")
    if system == codes.OBSERVATION_CATEGORY:
        return coding.get("code") in _OBSERVATION_CATEGORIES
    return system not in CODE_SYSTEMS or coding.get("code") in CODE_SYSTEMS[system]
