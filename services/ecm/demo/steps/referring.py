"""Steps 1 and 2: the child's file, the form, and the referral's life cycle (checklist 29 to 88)."""

import grpc

from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.api.referrals.v1 import referrals_service_pb2 as messages
from ecm.demo import material
from ecm.demo.journey import Journey, expect

MANAGER = "case-manager"
SENIOR = "senior-practitioner"
OPERATIONAL = "operational-manager"


def register(journey: Journey) -> list[str]:
    """Child, family, case, the whole form and the AssetPlus assessment."""
    _register_family(journey)
    referrals = journey.yot.referrals
    case = messages.OpenCaseRequest(child_id=journey.ids["child"])
    journey.command(MANAGER, referrals.OpenCase, case, "case")
    form = messages.SaveReferralFormRequest(
        case_id=journey.ids["case"], form=material.referral_form(journey.subject, journey.today)
    )
    journey.command(MANAGER, referrals.SaveReferralForm, form, "form")
    attach = messages.AttachAssessmentRequest(
        case_id=journey.ids["case"], assessment=material.asset_plus(journey.today)
    )
    journey.command(MANAGER, referrals.AttachAssessment, attach, "assessment")
    return [_form_counts(journey)]


def refer(journey: Journey) -> list[str]:
    """From `discussed` to `accepted`; an illegal step on the way is refused."""
    referrals, ids = journey.yot.referrals, journey.ids
    refused = _illegal(journey)
    _step(journey, OPERATIONAL, referrals.AssessEligibility, messages.AssessEligibilityRequest)
    lines = [f"refused out of order: {refused}", *_working(journey)]
    _step(journey, OPERATIONAL, referrals.AssessReadiness, messages.AssessReadinessRequest, note="ready")
    _step(journey, OPERATIONAL, referrals.AgreeGoAhead, messages.AgreeGoAheadRequest, reason="agreed")
    _step(journey, MANAGER, referrals.SendReferral, messages.SendReferralRequest)
    _step(journey, SENIOR, referrals.DiscussViability, messages.DiscussViabilityRequest)
    _step(journey, SENIOR, referrals.DecideViability, messages.DecideViabilityRequest, viable=True, reason="viable")
    case = journey.yot.call(MANAGER, referrals.GetCase, messages.GetCaseRequest(case_id=ids["case"])).case
    expect(case.state == records.CASE_STATE_ACCEPTED, f"the case is accepted, not {records.CaseState.Name(case.state)}")
    return [*lines, f"accepted after {len(case.steps)} recorded steps"]


def _register_family(journey: Journey) -> None:
    referrals, subject = journey.yot.referrals, journey.subject
    child = messages.RegisterChildRequest(yot="eastvale", child=material.child(subject))
    journey.command(MANAGER, referrals.RegisterChild, child, "child")
    mother = messages.AddFamilyMemberRequest(child_id=journey.ids["child"], family_member=material.mother(subject))
    journey.command(MANAGER, referrals.AddFamilyMember, mother, "mother")
    joe = material.sibling(subject, journey.ids["mother"])
    sibling = messages.AddFamilyMemberRequest(child_id=journey.ids["child"], family_member=joe)
    journey.command(MANAGER, referrals.AddFamilyMember, sibling, "sibling")


def _form_counts(journey: Journey) -> str:
    request = messages.GetReferralFormRequest(case_id=journey.ids["case"])
    form = journey.yot.call(MANAGER, journey.yot.referrals.GetReferralForm, request)
    return (
        f"form saved: {form.ace_count} of ten ACEs yes, {form.ace_dont_know} don't know, "
        f"{form.ace_unanswered} unanswered (bereavement is not counted)"
    )


def _illegal(journey: Journey) -> str:
    request = messages.SendReferralRequest(case_id=journey.ids["case"], expected_version=journey.versions["case"])
    try:
        journey.yot.call(MANAGER, journey.yot.referrals.SendReferral, request)
    except grpc.RpcError as error:
        expect(error.code() is grpc.StatusCode.FAILED_PRECONDITION, f"an illegal step is refused, not {error.code()}")
        return str(error.details())
    raise AssertionError("an illegal step was accepted")


def _step(journey: Journey, person: str, method: object, request_type: type, **values: object) -> None:
    request = request_type(case_id=journey.ids["case"], expected_version=journey.versions["case"], **values)
    journey.command(person, method, request, "case")  # type: ignore[arg-type]


def _working(journey: Journey) -> list[str]:
    request = messages.GetCaseRequest(case_id=journey.ids["case"])
    found = journey.yot.call(MANAGER, journey.yot.referrals.GetCase, request).case.eligibility
    expect(found.met, "the criteria are met")
    return [f"{finding.criterion}: {finding.working}" for finding in found.findings]
