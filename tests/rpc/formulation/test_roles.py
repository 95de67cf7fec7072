"""Every RPC with every role, another YOT's person, partners, services, a partner's own token (checklist 217 to 227)."""

from typing import Any

import pytest

from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.formulation.app import DESCRIPTORS
from ecm.kit.errors import Reason
from rpc.formulation.conftest import Formulation, refused

METHODS = [method.name for method in DESCRIPTORS[0].methods]
PSYCHOLOGY = {
    "RecordDevelopmentalMap",
    "PlaceOnRecoveryModel",
    "RecordRecommendations",
    "DraftReport",
    "FinaliseReport",
    "AmendReport",
}
INVITED = {"AnswerInvitation", "ContributeInformation"}
SERVICES = {"ListRecordVersions", "ListChildRecords"}
NARROWING = {"CancelInvitation", "RetractTimelineEntry", "EndCirculation"}
READING = {"GetMeeting", "ListMeetings", "GetGenogram", "ListTimeline", "GetTimeline", "GetReport", "GetFormulation"}
YOT = set(METHODS) - PSYCHOLOGY - INVITED - SERVICES
MAY = {
    "case-manager": YOT,
    "senior-practitioner": YOT - {"InviteAgency", "CirculateReport"},
    "operational-manager": READING | NARROWING,
    "supervisor": READING | NARROWING,
    "yot-manager": NARROWING,
    "data-protection-officer": NARROWING,
    "analyst": set(),
    "administrator": set(),
    "other-case-manager": YOT,
}


def empty(method: str) -> Any:
    return getattr(pb, f"{method}Request")()


async def denied(call: Any) -> bool:
    """Whether the policy refuses; an empty request is refused in any case, for what it lacks."""
    return (await refused(call)).reason is Reason.PERMISSION_DENIED


@pytest.mark.parametrize("person", MAY)
async def test_people(formulation: Formulation, person: str) -> None:
    allowed = {method for method in METHODS if not await denied(formulation.person(person, method, empty(method)))}
    assert allowed == MAY[person]


@pytest.mark.parametrize(
    ("agency", "may"),
    [("nhs-psychology", PSYCHOLOGY | INVITED), ("la-eastvale", INVITED), ("custody-northgate", INVITED)],
)
async def test_partners(formulation: Formulation, agency: str, may: set[str]) -> None:
    allowed = {method for method in METHODS if not await denied(formulation.partner(agency, method, empty(method)))}
    assert allowed == may


@pytest.mark.parametrize("service", ["ecm-referrals", "ecm-consent", "ecm-monitoring", "ecm-exchange"])
async def test_services(formulation: Formulation, service: str) -> None:
    allowed = {method for method in METHODS if not await denied(formulation.service(service, method, empty(method)))}
    assert allowed == SERVICES


async def test_a_partners_own_token_opens_nothing(formulation: Formulation) -> None:
    token = formulation.stack.token(client="nhs-psychology")
    for method in METHODS:
        refusal = await refused(formulation.bearer(token, method, empty(method)))
        assert refusal.reason is Reason.TOKEN_AUDIENCE
