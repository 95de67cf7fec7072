"""Who a client may name as author: its own registered practitioners, by number or by reference."""

import json

import pytest

from ecm.exchange.intake.authors import asserted
from ecm.exchange.intake.forwarding import idempotency_key
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.resource import practitioner_reference
from ecm.kit.errors import DomainError, Reason
from unit.exchange.intake.posted import COUNCIL, PSYCHOLOGY, region

NUMBER = {"identifier": {"system": codes.HCPC, "value": "PYL00001"}}


def provenance(*whos, **changes):
    agents = [{"who": who} for who in whos]
    return json.dumps({"resourceType": "Provenance", "recorded": "2026-11-20T10:00:00Z", "agent": agents} | changes)


def author(header, client=PSYCHOLOGY):
    example = region()
    return asserted(header, example.client(client), example)


def test_by_registration_and_by_reference():
    example = region()
    literal = practitioner_reference(example.slug, codes.HCPC, "PYL00001")["reference"]
    for who in (NUMBER, {"reference": literal}, {"reference": f"http://x.invalid/fhir/{literal}"}):
        found = author(provenance(who))
        assert (found.id, found.registration_system, found.registration) == ("psychologist-1", codes.HCPC, "PYL00001")


def test_without_the_header_there_is_none():
    assert author(None) is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (provenance({"identifier": {"system": codes.HCPC, "value": "PYL99999"}}), Reason.AUTHOR_REQUIRED),
        (provenance({"identifier": {"system": "http://x.invalid", "value": "PYL00001"}}), Reason.AUTHOR_REQUIRED),
        (provenance({"reference": "Practitioner/somebody"}), Reason.AUTHOR_REQUIRED),
        (provenance(NUMBER, NUMBER), Reason.INVARIANT),
        (provenance(NUMBER, resourceType="Patient"), Reason.INVARIANT),
        (provenance(), Reason.MALFORMED_JSON),
        ("psychologist-1", Reason.MALFORMED_JSON),
        ("x" * 9_000, Reason.TOO_LARGE),
    ],
)
def test_others_are_refused(header, reason):
    with pytest.raises(DomainError) as refused:
        author(header)
    assert refused.value.reason is reason


def test_a_client_without_practitioners_asserts_nobody():
    with pytest.raises(DomainError) as refused:
        author(provenance(NUMBER), COUNCIL)
    assert refused.value.reason is Reason.AUTHOR_REQUIRED


def test_the_same_again_has_the_same_key_and_anything_else_another():
    base = {"client": PSYCHOLOGY, "route": "POST Observation", "if_match": None, "body": b"{}"}
    key = idempotency_key(None, **base)
    assert key == idempotency_key(None, **base)
    others = [base | change for change in ({"client": "x"}, {"route": "x"}, {"if_match": "x"}, {"body": b"x"})]
    assert len({key, *(idempotency_key(None, **other) for other in others)}) == 5
    assert idempotency_key("my-own-key", **base) == "my-own-key"


@pytest.mark.parametrize("key", ["short", "x" * 129, "with a blank", "ümlaut-key"])
def test_a_malformed_key_is_refused(key):
    with pytest.raises(DomainError):
        idempotency_key(key, client="c", route="r", if_match=None, body=b"")
