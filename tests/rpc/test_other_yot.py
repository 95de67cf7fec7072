"""Another YOT's record is NOT_FOUND, never PERMISSION_DENIED: one can't learn that it exists."""

import uuid

import grpc
import pytest

from ecm.api.consent.v1.consent_service_pb2 import ListConsentsRequest, WithdrawRequest
from ecm.api.formulation.v1.formulation_service_pb2 import GetFormulationRequest, ListTimelineRequest
from ecm.api.monitoring.v1.monitoring_service_pb2 import ListOutcomesRequest, ListReviewsRequest
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals
from ecm.local.demo import material
from ecm.local.demo.journey import Journey
from ecm.local.demo.steps import referring
from ecm.local.stack import Stack

OTHER = "other-case-manager"


@pytest.fixture(scope="module")
def journey(region: Stack) -> Journey:
    """A child of Eastvale with a case, a form and an assessment."""
    made = Journey.on(region)
    made.subject = material.Subject("Ptolemy", "Quickthorn", "9990000050", f"EV-{uuid.uuid4()}", made.subject.born)
    referring.register(made)
    return made


def refused(journey: Journey, method: object, request: object) -> grpc.StatusCode:
    """The status that the other YOT's case manager gets."""
    with pytest.raises(grpc.RpcError) as caught:
        journey.yot.call(OTHER, method, request)  # type: ignore[arg-type]
    return caught.value.code()


def test_records_of_another_yot_are_not_found(journey: Journey) -> None:
    yot, ids = journey.yot, journey.ids
    calls = [
        (yot.referrals.GetChild, referrals.GetChildRequest(child_id=ids["child"])),
        (yot.referrals.GetCase, referrals.GetCaseRequest(case_id=ids["case"])),
        (yot.referrals.GetReferralForm, referrals.GetReferralFormRequest(case_id=ids["case"])),
        (yot.referrals.SendReferral, referrals.SendReferralRequest(case_id=ids["case"], expected_version=1)),
        (yot.referrals.OpenCase, referrals.OpenCaseRequest(child_id=ids["child"])),
        (yot.consent.ListConsents, ListConsentsRequest(case_id=ids["case"])),
        (yot.consent.Withdraw, WithdrawRequest(case_id=ids["case"])),
        (yot.formulation.ListTimeline, ListTimelineRequest(case_id=ids["case"])),
        (yot.formulation.GetFormulation, GetFormulationRequest(case_id=ids["case"])),
    ]
    for method, request in calls:
        assert refused(journey, method, request) is grpc.StatusCode.NOT_FOUND, request


def test_nothing_of_another_yot_is_listed(journey: Journey) -> None:
    nhs = material.NHS_NUMBER_SYSTEM
    request = referrals.FindChildrenRequest(identifier={"system": nhs, "value": journey.subject.nhs_number})
    assert not journey.yot.call(OTHER, journey.yot.referrals.FindChildren, request).refs
    assert journey.yot.call("case-manager", journey.yot.referrals.FindChildren, request).refs


def test_monitoring_of_another_yot_is_not_found(journey: Journey) -> None:
    for method, request in (
        (journey.yot.monitoring.ListReviews, ListReviewsRequest(case_id=journey.ids["case"])),
        (journey.yot.monitoring.ListOutcomes, ListOutcomesRequest(case_id=journey.ids["case"])),
    ):
        assert refused(journey, method, request) is grpc.StatusCode.NOT_FOUND


def test_a_child_cant_be_registered_for_another_yot(journey: Journey) -> None:
    request = referrals.RegisterChildRequest(yot="eastvale", child=material.child(journey.subject))
    assert refused(journey, journey.yot.referrals.RegisterChild, request) is grpc.StatusCode.PERMISSION_DENIED
