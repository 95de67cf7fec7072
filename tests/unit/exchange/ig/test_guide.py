"""What mappings say of our own is defined, once, and by what the product works with."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from fhir.resources.R4B import get_fhir_model_class

from ecm.consent.model.consent import PURPOSES
from ecm.exchange.ig import definitions, file_name
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.codes import CANONICAL
from ecm.exchange.mapping.vocabulary import CODE_SYSTEMS, RECOVERY_MODELS
from validator.filled import resources

Json = dict[str, Any]


@pytest.fixture(scope="module")
def guide() -> dict[str, Json]:
    return {each["url"]: each for each in definitions()}


@pytest.fixture(scope="module")
def said() -> list[Json]:
    """Every rendition of every kind, with every code."""
    return [json.loads(body) for _, body in resources()]


def test_every_own_code_is_defined(guide: dict[str, Json], said: list[Json]) -> None:
    defined = {
        (url, concept["code"], concept["display"])
        for url, each in guide.items()
        if each["resourceType"] == "CodeSystem"
        for concept in each["concept"]
    }
    codings = {
        (held["system"], held["code"], held["display"])
        for held in objects(said)
        if held.get("system", "").startswith(CANONICAL) and "code" in held
    }
    assert len(codings) > 150
    assert codings - defined == set()


def test_every_own_extension_profile_and_questionnaire_is_defined(guide: dict[str, Json], said: list[Json]) -> None:
    named = {
        *(each["url"] for held in objects(said) for each in held.get("extension", []) if "url" in each),
        *(profile for held in objects(said) for profile in held.get("profile", [])),
        *(held["questionnaire"].partition("|")[0] for held in objects(said) if "questionnaire" in held),
    }
    own = {url for url in named if url.startswith(CANONICAL)}
    assert len(own) > 10
    assert own - guide.keys() == set()


def test_every_own_url_of_the_code_is_defined(guide: dict[str, Json]) -> None:
    urls = {value for value in vars(codes).values() if isinstance(value, str) and value.startswith(f"{CANONICAL}/")}
    bases = {f"{CANONICAL}/CodeSystem", f"{CANONICAL}/StructureDefinition"}
    assert {url.partition("|")[0] for url in urls - bases} - guide.keys() == set()


def test_what_a_definition_names_of_our_own_is_defined(guide: dict[str, Json]) -> None:
    named = {text.partition("|")[0] for text in strings(list(guide.values())) if text.startswith(f"{CANONICAL}/")}
    assert named - guide.keys() == set()


def test_files_and_names_are_unique(guide: dict[str, Json]) -> None:
    made = definitions()
    assert len(guide) == len(made) == len({file_name(each) for each in made})
    assert made == definitions()


def test_every_definition_is_r4() -> None:
    for each in definitions():
        get_fhir_model_class(each["resourceType"]).model_validate_json(json.dumps(each))


def test_the_consents_purposes_are_those_of_consent() -> None:
    assert tuple(CODE_SYSTEMS[codes.CONSENT_PURPOSE]) == PURPOSES


def test_the_example_regions_recovery_model_is_known(repository: Any) -> None:
    region = yaml.safe_load((repository / "deploy/regions/example/region.yaml").read_text())
    model = region["recovery_model"]
    assert list(RECOVERY_MODELS[(model["code"], model["version"])]) == model["stages"]


def objects(value: Any) -> Iterator[Json]:
    """Every object inside."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def strings(value: Any) -> Iterator[str]:
    """Every string inside."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)
