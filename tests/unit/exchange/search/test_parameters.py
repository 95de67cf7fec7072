"""The registry against R4's own search parameters, where the specification's definitions are given beside the clone."""

import json
from pathlib import Path

import pytest

from ecm.exchange.search.parameters import EVERYWHERE, REGISTRY
from ecm.kit.scopes import READABLE

DEFINITIONS = Path(__file__).parents[5] / "shared/fhir/r4/search-parameters.json"
pytestmark = pytest.mark.skipif(not DEFINITIONS.is_file(), reason="R4's search parameters aren't beside this clone")


def defined_by_r4() -> dict[str, dict[str, dict[str, str]]]:
    """Type → code → definition."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for one in json.loads(DEFINITIONS.read_text()) if DEFINITIONS.is_file() else []:
        for base in one["base"]:
            found.setdefault(base, {})[one["code"]] = one
    return found


R4 = defined_by_r4()
ASKED_FOR = ("identifier", "patient", "subject", "status", "code")
DATES = {
    "Appointment": "date",
    "Bundle": "timestamp",
    "Goal": "start-date",
    "Observation": "date",
    "Provenance": "recorded",
    "QuestionnaireResponse": "authored",
    "ServiceRequest": "authored",
    "Task": "authored-on",
}
CASES = [(kind, parameter) for kind, found in REGISTRY.items() for parameter in found]


@pytest.mark.parametrize(("kind", "parameter"), CASES, ids=lambda value: getattr(value, "code", value))
def test_each_is_r4s_own(kind: str, parameter: object) -> None:
    defined = R4[kind][parameter.code]
    assert (defined["type"], defined["url"]) == (parameter.kind.value, parameter.definition)
    for path in parameter.paths:
        # effectiveDateTime stands for Observation.effective, target.dueDate for Goal.target.due.
        stem = next((s for s in ("DateTime", "Period", "Instant") if path.endswith(s) and len(path) > len(s)), "")
        written = {path, path.removesuffix(stem), path.removesuffix("Date")}
        assert any(f"{kind}.{one}" in defined["expression"] for one in written), (path, defined["expression"])


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_every_type_has_what_r4_gives_it(kind: str) -> None:
    have = {parameter.code for parameter in REGISTRY[kind]}
    expected = {code for code in ASKED_FOR if code in R4.get(kind, {})}
    assert expected <= have
    if "date" in R4.get(kind, {}):
        assert "date" in have
    assert DATES.get(kind) in {None, *have}


def test_types_are_readable_ones_and_the_common_two_are_there() -> None:
    assert set(REGISTRY) <= set(READABLE)
    assert [(p.code, p.definition) for p in EVERYWHERE] == [
        ("_id", R4["Resource"]["_id"]["url"]),
        ("_lastUpdated", R4["Resource"]["_lastUpdated"]["url"]),
    ]
