"""The region's agencies and registered professionals are R4, and the same for everybody."""

import json
from pathlib import Path

from fhir.resources.R4B import get_fhir_model_class

from ecm.exchange.mapping import View
from ecm.exchange.projection.directory import directory, mapping_context
from ecm.kit.region import load_region

REGION = load_region(Path(__file__).parents[4] / "deploy/regions/example/region.yaml")


def test_every_entry_is_r4() -> None:
    entries = directory(REGION)
    assert {entry.type for entry in entries} == {"Organization", "Practitioner"}
    for entry in entries:
        get_fhir_model_class(entry.type).model_validate_json(json.dumps(entry.renditions[View.FULL]))


def test_references_of_records_lead_to_the_directory() -> None:
    context, known = mapping_context(REGION), {f"{entry.type}/{entry.id}" for entry in directory(REGION)}
    for agency in REGION.agencies:
        found = context.organization(agency.id)
        assert found is not None
        assert found["reference"] in known
    for yot in REGION.yots:
        found = context.yot(yot.id)
        assert found is not None
        assert found["reference"] in known


def test_an_agency_outside_of_the_region_is_named_alone() -> None:
    assert mapping_context(REGION).organization("Invented Club") == {"display": "Invented Club"}
    assert mapping_context(REGION).organization("") is None
