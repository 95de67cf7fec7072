"""The region file: the example is good, each fault is named at its place, and the schema is the published one."""

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ecm.kit.region import RegionError, load_region, parse_region, region_schema
from unit.kit.builders import EXAMPLE_REGION, REPOSITORY, example_region

Document = dict[str, Any]


def document() -> Document:
    parsed: Document = yaml.safe_load(EXAMPLE_REGION.read_text())
    return copy.deepcopy(parsed)


def test_lookups() -> None:
    region = example_region()
    assert region.agency_kind("nhs-psychology") == "psychology"
    assert region.client("nhs-psychology").agency == "nhs-psychology"  # type: ignore[union-attr]
    assert region.practitioner("nhs-psychology", "psychologist-1") is not None
    assert region.practitioner("la-eastvale", "psychologist-1") is None
    assert region.yot("westmoor").agency == "yot-westmoor"  # type: ignore[union-attr]
    assert region.client("nobody") is None and region.agency("nobody") is None and region.yot("nobody") is None


def test_published_schema_is_current() -> None:
    published = json.loads((REPOSITORY / "deploy" / "regions" / "region.schema.json").read_text())
    assert published == region_schema(), "run: python -m ecm.kit.region > deploy/regions/region.schema.json"


def test_example_fits_the_published_schema() -> None:
    as_json = json.loads(json.dumps(document(), default=str))
    jsonschema.validate(as_json, region_schema(), cls=jsonschema.Draft202012Validator)


def _set(path: str, value: object) -> Callable[[Document], None]:
    def change(target: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            target = target[int(step)] if step.isdigit() else target[step]
        target[int(last) if last.isdigit() else last] = value

    return change


FAULTS = {
    "slug: ": _set("slug", "Big Region"),
    "isn't a time zone": _set("time_zone", "Europe/Atlantis"),
    "clients: 'nhs-psychology' has 'nobody', not a listed agency": _set("clients.0.agency", "nobody"),
    "agreements: 'psychology-1' has the recipient 'nobody'": _set("agreements.0.recipient", "nobody"),
    "yots: 'eastvale' names the agency 'nhs-psychology', not a listed youth-offending-team": _set(
        "yots.0.agency", "nhs-psychology"
    ),
    "agencies: the id 'yot-eastvale' stands there twice": _set("agencies.1.id", "yot-eastvale"),
    "clients: the id 'la-eastvale' stands there twice": _set("clients.0.id", "la-eastvale"),
    "the agency 'la-eastvale' has two clients for the purpose 'direct-care'": _set("clients.0.agency", "la-eastvale"),
    "isn't in the catalogue of scopes": _set("clients.0.scopes", ["system/Everything.rs"]),
    "extra_field: ": _set("extra_field", 1),
    "clients.0.seecret: ": _set("clients.0.seecret", "x"),
    "deadlines.override_hours: ": _set("deadlines.override_hours", 100),
    "has two lines of one category": _set("agreements.0.lines.1.category", "invitation"),
    "family-sensitive needs a third_party_basis": _set("agreements.0.lines.9.third_party_basis", None),
    "ends before it begins": _set("agreements.0.valid_until", date(2020, 1, 1)),
    "role_bindings.panel.0: ": _set("role_bindings.panel", ["king"]),
}


@pytest.mark.parametrize("message", FAULTS)
def test_a_fault_is_named_at_its_place(message: str) -> None:
    faulty = document()
    FAULTS[message](faulty)
    with pytest.raises(RegionError) as caught:
        parse_region(faulty)
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match="can't be read"):
        load_region(tmp_path / "absent.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(RegionError, match="isn't YAML"):
        load_region(tmp_path / "broken.yaml")
