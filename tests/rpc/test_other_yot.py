"""Another YOT's record is as if it didn't exist: the same answer as for an id that nobody has."""

import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.consent.v1 import consent_records_pb2 as consents
from ecm.api.consent.v1.consent_service_pb2 import ListConsentsRequest, SeekConsentRequest, WithdrawRequest
from ecm.api.formulation.v1.formulation_service_pb2 import (
    DrawTimelineRequest,
    GetFormulationRequest,
    ListTimelineRequest,
)
from ecm.api.monitoring.v1.monitoring_service_pb2 import ListOutcomesRequest, ListReviewsRequest
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals
from ecm.local.demo import material
from ecm.local.demo.journey import Journey
from ecm.local.demo.steps import referring
from ecm.local.stack import Stack

OTHER = "other-case-manager"
TODAY = Date(year=2026, month=1, day=5)
ENDING = consents.Ending(by=consents.SIGNATORY_CAPACITY_CHILD, said_on=TODAY)


@pytest.fixture(scope="module")
def journey(region: Stack) -> Journey:
    """A child of Eastvale with a case, a form and an assessment."""
    made = Journey.on(region)
    made.subject = material.Subject("Ptolemy", "Quickthorn", "9990000050", f"EV-{uuid.uuid4()}", made.subject.born)
    referring.register(made)
    return made


def outcome(journey: Journey, method: Any, request: Any) -> Any:
    """What the other YOT's case manager gets: a status with its words, or the response."""
    try:
        return journey.yot.call(OTHER, method, request)
    except grpc.RpcError as error:
        return error.code(), error.details()


def pairs(journey: Journey) -> list[tuple[Any, Callable[[str], Any], str]]:
    """RPCs, how to ask for an id, and the id of a record that exists."""
    yot, ids = journey.yot, journey.ids
    return [
        (yot.referrals.GetChild, lambda i: referrals.GetChildRequest(child_id=i), ids["child"]),
        (yot.referrals.ListFamilyMembers, lambda i: referrals.ListFamilyMembersRequest(child_id=i), ids["child"]),
        (yot.referrals.OpenCase, lambda i: referrals.OpenCaseRequest(child_id=i), ids["child"]),
        (yot.referrals.GetCase, lambda i: referrals.GetCaseRequest(case_id=i), ids["case"]),
        (yot.referrals.GetReferralForm, lambda i: referrals.GetReferralFormRequest(case_id=i), ids["case"]),
        (
            yot.referrals.SendReferral,
            lambda i: referrals.SendReferralRequest(case_id=i, expected_version=1),
            ids["case"],
        ),
        (yot.consent.ListConsents, lambda i: ListConsentsRequest(case_id=i), ids["case"]),
        (yot.consent.SeekConsent, lambda i: SeekConsentRequest(case_id=i, sought_on=TODAY), ids["case"]),
        (yot.consent.Withdraw, lambda i: WithdrawRequest(case_id=i, ending=ENDING), ids["case"]),
        (yot.formulation.ListTimeline, lambda i: ListTimelineRequest(case_id=i), ids["case"]),
        (yot.formulation.DrawTimeline, lambda i: DrawTimelineRequest(case_id=i), ids["case"]),
        (yot.formulation.GetFormulation, lambda i: GetFormulationRequest(case_id=i), ids["case"]),
        (yot.monitoring.ListReviews, lambda i: ListReviewsRequest(case_id=i), ids["case"]),
        (yot.monitoring.ListOutcomes, lambda i: ListOutcomesRequest(case_id=i), ids["case"]),
    ]


def test_records_of_another_yot_are_as_if_they_didnt_exist(journey: Journey) -> None:
    for method, asking, existing in pairs(journey):
        theirs = outcome(journey, method, asking(existing))
        nobodys = outcome(journey, method, asking(str(uuid.uuid4())))
        assert theirs == nobodys, asking(existing)
        assert not isinstance(theirs, tuple) or theirs[0] is grpc.StatusCode.NOT_FOUND, theirs


def test_nothing_of_another_yot_is_listed(journey: Journey) -> None:
    nhs = material.NHS_NUMBER_SYSTEM
    request = referrals.FindChildrenRequest(identifier={"system": nhs, "value": journey.subject.nhs_number})
    assert not journey.yot.call(OTHER, journey.yot.referrals.FindChildren, request).refs
    assert journey.yot.call("case-manager", journey.yot.referrals.FindChildren, request).refs


def test_a_child_cant_be_registered_for_another_yot(journey: Journey) -> None:
    request = referrals.RegisterChildRequest(yot="eastvale", child=material.child(journey.subject))
    assert outcome(journey, journey.yot.referrals.RegisterChild, request)[0] is grpc.StatusCode.PERMISSION_DENIED
