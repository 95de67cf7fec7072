"""Who is told of attempts on a child before any consent: the YOT that registered the child, and nobody else."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.exchange.v1.exchange_service_pb2 import ListDisclosuresRequest, RecordManualDisclosureRequest
from ecm.api.referrals.v1.referrals_service_pb2 import RegisterChildRequest
from ecm.demo import material
from ecm.demo.journey import LOCAL_AUTHORITY, Journey
from ecm.local.stack import Stack

OWN, OTHER = "case-manager", "other-case-manager"
NHS_NUMBER = "9990000077"


@pytest.fixture(scope="module")
def journey(region: Stack) -> Iterator[Journey]:
    """A child of Eastvale without a grant, whom the local authority has looked for by number."""
    made = Journey.on(region)
    made.subject = material.Subject("Ignatia", "Fennimore", NHS_NUMBER, f"EV-{uuid.uuid4()}", made.subject.born)
    child = RegisterChildRequest(yot="eastvale", child=material.child(made.subject))
    made.command(OWN, made.yot.referrals.RegisterChild, child, "child")
    assert made.local_authority.patient(made.subject.identifier) is None
    yield made
    made.close()


def by_number(journey: Journey) -> list[ListDisclosuresRequest]:
    """By NHS number as it is often written, and by the local number."""
    base = journey.stack.plan.load_region().local_identifier_base
    spaced = f"{NHS_NUMBER[:3]} {NHS_NUMBER[3:6]} {NHS_NUMBER[6:]}"
    local = {"system": f"{base}/case-number/eastvale", "value": journey.subject.local_case_number}
    pairs = ({"system": material.NHS_NUMBER_SYSTEM, "value": spaced}, local)
    return [ListDisclosuresRequest(identifier=one) for one in pairs]


def outcome(journey: Journey, person: str, method: Callable[..., Any], request: Any) -> Any:
    """A status with its words, or the response."""
    try:
        return journey.yot.call(person, method, request)
    except grpc.RpcError as error:
        return error.code(), error.details()


def test_the_childs_own_yot_sees_the_attempt(journey: Journey) -> None:
    listing = journey.yot.exchange.ListDisclosures
    nhs, local = by_number(journey)
    for request in (ListDisclosuresRequest(child_id=journey.ids["child"]), nhs):
        found = journey.yot.call(OWN, listing, request).disclosures
        assert [(one.client, one.outcome) for one in found] == [(LOCAL_AUTHORITY, "nothing")]
    # By this one nobody has asked.
    assert not journey.yot.call(OWN, listing, local).disclosures
    journey.local_authority.patient(f"{local.identifier.system}|{local.identifier.value}")
    assert len(journey.yot.call(OWN, listing, local).disclosures) == 1
    assert len(journey.yot.call(OWN, listing, ListDisclosuresRequest(child_id=journey.ids["child"])).disclosures) == 2


def test_another_yot_is_answered_as_if_there_were_no_such_child(journey: Journey) -> None:
    listing, by_hand = journey.yot.exchange.ListDisclosures, journey.yot.exchange.RecordManualDisclosure
    nobodys = str(uuid.uuid4())
    for asking, method in ((ListDisclosuresRequest, listing), (_paper, by_hand)):
        theirs = outcome(journey, OTHER, method, asking(child_id=journey.ids["child"]))
        assert theirs == outcome(journey, OTHER, method, asking(child_id=nobodys))
        assert theirs[0] is grpc.StatusCode.NOT_FOUND
        assert theirs == outcome(journey, OWN, method, asking(child_id=nobodys))
    unknown = {"system": material.NHS_NUMBER_SYSTEM, "value": "9990000085"}
    empty = outcome(journey, OTHER, listing, ListDisclosuresRequest(identifier=unknown))
    for request in by_number(journey):
        assert outcome(journey, OTHER, listing, request) == empty
    assert not empty.disclosures


def test_a_paper_copy_is_recorded_before_any_grant(journey: Journey) -> None:
    made = journey.yot.call(OWN, journey.yot.exchange.RecordManualDisclosure, _paper(journey.ids["child"]))
    request = ListDisclosuresRequest(child_id=journey.ids["child"])
    found = journey.yot.call(OWN, journey.yot.exchange.ListDisclosures, request).disclosures
    assert made.audit_id in {one.audit_id for one in found}


def _paper(child_id: str) -> RecordManualDisclosureRequest:
    at = Timestamp()
    at.GetCurrentTime()
    return RecordManualDisclosureRequest(
        child_id=child_id, at=at, recipient="social worker", purpose="p", what="letter"
    )
