"""Whatever an owner keeps, what is served is R4, in every view."""

import json
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecm.exchange.mapping import MAPPERS, View, map_record
from unit.exchange.mapping.invented import CONTEXT, versions

KINDS = sorted(MAPPERS)
EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
ADDED = {"versionId": "1a", "lastUpdated": "2026-01-01T00:00:00.000Z"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_rendition_is_r4(kind: str) -> None:
    @EXAMPLES
    @given(versions(kind))
    def check(version: object) -> None:
        for found in map_record(version, CONTEXT):
            for body in found.renditions.values():
                served = body | {"meta": body.get("meta", {}) | ADDED}
                get_fhir_model_class(found.type).model_validate_json(json.dumps(served))

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_stable_unique_and_the_resources_own(kind: str) -> None:
    @EXAMPLES
    @given(versions(kind))
    def check(version: object) -> None:
        found, again = map_record(version, CONTEXT), map_record(version, CONTEXT)
        assert found == again
        assert len({(one.type, one.id) for one in found}) == len(found)
        for one in found:
            assert UUID(one.id).version == 5
            assert all(body["id"] == one.id and body["resourceType"] == one.type for body in one.renditions.values())

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_references_within_the_record_are_resolved_in_the_same_view(kind: str) -> None:
    @EXAMPLES
    @given(versions(kind))
    def check(version: object) -> None:
        found = map_record(version, CONTEXT)
        for view in View:
            there = {f"{one.type}/{one.id}" for one in found if view in one.renditions}
            anywhere = {f"{one.type}/{one.id}" for one in found}
            for one in found:
                pointed = _references(one.renditions.get(view))
                assert pointed & anywhere <= there

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_empty_is_served(kind: str) -> None:
    @EXAMPLES
    @given(versions(kind))
    def check(version: object) -> None:
        for found in map_record(version, CONTEXT):
            for body in found.renditions.values():
                assert not _empties(body)

    check()


@EXAMPLES
@given(st.sampled_from(KINDS).flatmap(versions))
def test_every_resource_but_a_patient_has_a_category(version: object) -> None:
    for found in map_record(version, CONTEXT):
        assert bool(found.categories) == (found.type != "Patient")
        assert View.FULL in found.renditions


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def _empties(value: object) -> bool:
    if isinstance(value, dict):
        return any(inner in ({}, [], "", None) or _empties(inner) for inner in value.values())
    return isinstance(value, list) and any(inner in ({}, [], "", None) or _empties(inner) for inner in value)
