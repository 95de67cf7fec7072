"""Every resource is valid: base R4, UK Core's profile of the type where its definitions are given, own profiles."""

import json

import pytest

from ecm.exchange.mapping import MAPPERS
from validator.controls import CONTROLS
from validator.corpus import Corpus, parsed, references
from validator.findings import Findings
from validator.hapi import Issue, uk_core
from validator.known import KNOWN

pytestmark = pytest.mark.validator


@pytest.mark.parametrize("group", ["stored", "answers", "posted", "filled", "definitions", "posts"])
def test_nothing_is_wrong(findings: Findings, group: str) -> None:
    print(f"{group}: {len(findings.asked[group])} validated")
    assert told(findings.of(group)) == ""


def test_every_kind_of_answer_is_among_them(corpus: Corpus) -> None:
    kinds = {json.loads(answer.body)["resourceType"] for answer in corpus.answers}
    assert {"Bundle", "OperationOutcome", "CapabilityStatement", "Patient", "DocumentReference"} <= kinds
    assert {400, 403, 404, 422} <= {answer.status for answer in corpus.answers}


def test_every_view_and_every_type_is_among_them(corpus: Corpus) -> None:
    assert {stored.view for stored in corpus.stored} == {1, 2, 3}
    assert len({stored.type for stored in corpus.stored}) >= 20
    assert len({(stored.type, stored.id) for stored in corpus.stored}) < len(corpus.stored)


def test_every_kind_of_record_is_among_the_filled(findings: Findings) -> None:
    assert {name.split()[0] for name in findings.asked["filled"]} == set(MAPPERS)


def test_the_validator_bites(findings: Findings) -> None:
    assert findings.of("controls").keys() == CONTROLS.keys()


def test_each_known_fault_is_still_one(findings: Findings) -> None:
    issues = [issue for found in findings.issues.values() for issue in found]
    assert [fault.id for fault in KNOWN if not any(map(fault.explains, issues))] == []


def test_uk_core_was_checked(findings: Findings) -> None:
    if uk_core() is None:
        pytest.skip("UK Core's definitions aren't given (ECM_UK_CORE, or ../shared/fhir/uk-core): not checked")
    claimed = [one for one in findings.asked["stored"].values() if "fhir.hl7.org.uk/StructureDefinition" in one.body]
    assert len(claimed) > 50


def test_every_reference_resolves(corpus: Corpus) -> None:
    there = {f"{stored.type}/{stored.id}" for stored in corpus.stored}
    pointed = {
        (stored.key, target)
        for stored in corpus.stored
        if stored.type != "Bundle"
        for target in references(parsed(stored))
    }
    assert len(pointed) > 100
    assert [(key, target) for key, target in sorted(pointed) if target not in there] == []


def test_a_reference_that_one_cannot_follow_is_answered_as_what_is_not_there(corpus: Corpus) -> None:
    assert corpus.closed  # at least the AssetPlus assessment, to which the referral refers and which is withheld
    assert [target for target, answer in corpus.closed.items() if answer != corpus.nothing] == []


def test_a_document_is_closed_in_itself(corpus: Corpus) -> None:
    documents = [parsed(stored) for stored in corpus.stored if stored.type == "Bundle"]
    assert documents
    for document in documents:
        inside = {entry["fullUrl"] for entry in document["entry"]}
        assert references(document) - inside == set()
        assert document["type"] == "document"
        assert document["entry"][0]["resource"]["resourceType"] == "Composition"


def told(found: dict[str, list[Issue]]) -> str:
    """The errors, a line each."""
    return "\n".join(f"{name}: {issue}" for name, issues in found.items() for issue in issues)
