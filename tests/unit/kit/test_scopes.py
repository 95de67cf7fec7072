"""The closed catalogue of scopes."""

import pytest

from ecm.kit.scopes import SCOPES, Scope, allows, is_scope, parse
from unit.kit.builders import example_region


def test_catalogue_holds_what_the_example_region_uses() -> None:
    for client in example_region().clients:
        assert all(is_scope(scope) for scope in client.scopes)


def test_every_scope_of_the_catalogue_parses() -> None:
    assert all(parse(scope) is not None for scope in SCOPES)
    assert len(set(SCOPES)) == len(SCOPES)


@pytest.mark.parametrize(
    "text", ["system/Patient", "system/Patient.", "user/Patient.rs", "system/patient.rs", "system/Patient.sr", ""]
)
def test_other_forms_are_no_scopes(text: str) -> None:
    assert parse(text) is None and not is_scope(text)


def test_parsing() -> None:
    assert parse("system/CarePlan.cu") == Scope("CarePlan", "cu")


def test_a_scope_allows_its_letters_on_its_type() -> None:
    assert allows(["system/*.rs"], "Patient", "r")
    assert not allows(["system/*.rs"], "Observation", "c")
    assert allows(["system/*.rs", "system/Observation.c"], "Observation", "c")
    assert not allows(["system/Observation.c"], "Observation", "r")
    assert not allows([], "Patient", "r")


def test_nobody_may_write_what_the_exchange_does_not_take() -> None:
    # Well formed, but outside of the catalogue.
    for scope in ("system/*.cruds", "system/Consent.c", "system/Patient.d"):
        assert not allows([scope], "Consent", "c")
        assert not is_scope(scope)
