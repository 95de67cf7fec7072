"""Every RPC that names a record, asked by another YOT's people about a record that exists and about one that doesn't.

The requests are those of the journey itself, so that nothing but the YOT stands in their way; RPCs that the journey has
no use for are asked with the journey's ids and nothing else.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.monitoring.v1 import monitoring_service_pb2 as monitoring
from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals
from ecm.demo import material
from ecm.demo.journey import Journey
from ecm.demo.story import STEPS
from ecm.demo.yot import Yot
from ecm.local.stack import Stack
from rpc.expected_roles import EXPECTED, ROLES
from rpc.test_matrix import EVERY, methods
from rpc.tokens import Forge

# A request's field → the record that the journey calls so.
RECORDS = {
    "child_id": "child",
    "case_id": "case",
    "family_member_id": "mother",
    "meeting_id": "meeting",
    "invitation_id": "invitation-la-eastvale",
    "entry_id": "entry-0",
    "draft_id": "draft",
    "report_id": "report",
}
REFUSED = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)
# What somebody of the child's own YOT is answered with, once the journey has come to its report.
READS = [
    ("referrals", "GetChild"),
    ("referrals", "ListFamilyMembers"),
    ("referrals", "GetCase"),
    ("referrals", "GetReferralForm"),
    ("consent", "ListConsents"),
    ("consent", "ExplainGrants"),
    ("formulation", "GetMeeting"),
    ("formulation", "ListMeetings"),
    ("formulation", "ListContributions"),
    ("formulation", "GetGenogram"),
    ("formulation", "ListTimeline"),
    ("formulation", "GetTimeline"),
    ("formulation", "GetReportDraft"),
    ("formulation", "GetReport"),
    ("formulation", "GetFormulation"),
    ("exchange", "ListDisclosures"),
    ("exchange", "GetProjection"),
]
Answer = tuple[grpc.StatusCode, str]


def _people(service: str, name: str) -> list[str]:
    return [ROLES[word] for word in EXPECTED[service][name].split() if word in ROLES]


def _named(service: str, name: str) -> list[str]:
    return [one.name for one in methods(service)[name].input_type.fields if one.name in RECORDS]


ABOUT_A_RECORD = [(service, name) for service, name in EVERY if _people(service, name) and _named(service, name)]


class Recording(Yot):
    """Keeps the last request of every RPC, by the request's type."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sent: dict[str, Message] = {}

    def call(self, person: str, method: Any, request: Any, *, key: str = "") -> Any:
        self.sent[request.DESCRIPTOR.full_name] = request
        return super().call(person, method, request, key=key)


@dataclass
class Asked:
    """A journey up to its report, and who may ask about it."""

    journey: Journey
    sent: dict[str, Message]
    forge: Forge
    channels: dict[str, grpc.Channel] = field(default_factory=dict)

    def answer(self, service: str, name: str, request: Message, *, yot: str, role: str) -> Answer:
        """What somebody of that YOT is told; `OK` with the answer's text where they are answered."""
        claims = self.forge.person(yot=yot, role=role, agency=f"yot-{yot}")
        metadata = [("authorization", f"Bearer {self.forge.sign(claims)}"), ("idempotency-key", str(uuid.uuid4()))]
        method = methods(service)[name]
        unary = self.channels[service].unary_unary(
            f"/{method.containing_service.full_name}/{name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        try:
            return grpc.StatusCode.OK, str(unary(request, metadata=metadata, timeout=10))
        except grpc.RpcError as error:
            return error.code(), str(error.details())

    def request(self, service: str, name: str) -> Message:
        """The journey's own request, or one with its ids alone."""
        kind = methods(service)[name].input_type
        made = GetMessageClass(kind)()
        made.CopyFrom(self.sent.get(kind.full_name) or _filled(made))
        for field_name in _named(service, name):
            setattr(made, field_name, self.journey.ids[RECORDS[field_name]])
        return made


@pytest.fixture(scope="module")
def asked(region: Stack) -> Iterator[Asked]:
    made = Journey.on(region)
    made.subject = material.Subject("Araminta", "Quillfeather", "9990000468", f"EV-{uuid.uuid4()}", made.subject.born)
    made.yot = recording = Recording(region)
    for step in STEPS[:2] + STEPS[3:7:2] + STEPS[6:7]:
        step.take(made)
    channels = {service: grpc.insecure_channel(region.addresses[service]) for service in EXPECTED}
    yield Asked(made, recording.sent, Forge.local(region), channels)
    for channel in channels.values():
        channel.close()
    made.close()


def _filled(request: Message) -> Message:
    """The request with words in every text and a version: what is checked before the record is looked for."""
    for one in request.DESCRIPTOR.fields:
        if one.type == FieldDescriptor.TYPE_STRING and not one.is_repeated and one.name != "page_token":
            setattr(request, one.name, "la-eastvale" if one.name == "agency" else "said")
        elif one.name == "expected_version":
            setattr(request, one.name, 1)
    return request


def _of_nobody(request: Message) -> Message:
    """The same request about records that nobody has."""
    made = type(request)()
    made.CopyFrom(request)
    for one in made.DESCRIPTOR.fields:
        if one.name in RECORDS and one.type == FieldDescriptor.TYPE_STRING:
            setattr(made, one.name, str(uuid.uuid4()))
    return made


@pytest.mark.parametrize(("service", "name"), ABOUT_A_RECORD)
def test_another_yot_is_told_what_it_is_told_of_nobody(asked: Asked, service: str, name: str) -> None:
    request = asked.request(service, name)
    for role in _people(service, name):
        theirs = asked.answer(service, name, request, yot="westmoor", role=role)
        assert theirs == asked.answer(service, name, _of_nobody(request), yot="westmoor", role=role), role
        code, text = theirs
        assert code in REFUSED or (code is grpc.StatusCode.OK and not text), (role, theirs)


@pytest.mark.parametrize(("service", "name"), READS)
def test_the_childs_own_yot_is_told_more(asked: Asked, service: str, name: str) -> None:
    """So the requests above are ones that would be answered."""
    request, role = asked.request(service, name), _people(service, name)[0]
    own = asked.answer(service, name, request, yot="eastvale", role=role)
    assert own[0] is grpc.StatusCode.OK
    assert own != asked.answer(service, name, _of_nobody(request), yot="eastvale", role=role)


JANUARY = {"period_start": Date(year=2026, month=1, day=1), "period_end": Date(year=2026, month=1, day=31)}
OF_A_YOT: list[tuple[str, str, Message]] = [
    ("monitoring", "GetReturn", monitoring.GetReturnRequest(yot="eastvale", **JANUARY)),
    ("monitoring", "ListDeadlines", monitoring.ListDeadlinesRequest(yot="eastvale")),
    (
        "monitoring",
        "EnterCaseload",
        monitoring.EnterCaseloadRequest(caseload=Caseload(yot="eastvale", children=3, **JANUARY)),
    ),
    ("referrals", "ListCases", referrals.ListCasesRequest(yot="eastvale")),
]


@pytest.mark.parametrize(("service", "name", "request_"), OF_A_YOT, ids=[name for _, name, _ in OF_A_YOT])
def test_what_belongs_to_a_yot_is_for_its_people(asked: Asked, service: str, name: str, request_: Message) -> None:
    for role in _people(service, name):
        theirs = asked.answer(service, name, request_, yot="westmoor", role=role)
        assert theirs[0] in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}, (role, theirs)
        own = asked.answer(service, name, request_, yot="eastvale", role=role)
        assert own[0] is grpc.StatusCode.OK, (role, own)


def test_nobody_of_another_yot_finds_or_registers_the_child(asked: Asked) -> None:
    subject, yot = asked.journey.subject, asked.journey.yot
    number = {"system": material.NHS_NUMBER_SYSTEM, "value": subject.nhs_number}
    find = referrals.FindChildrenRequest(identifier=number)
    assert yot.call("case-manager", yot.referrals.FindChildren, find).refs
    assert not yot.call("other-case-manager", yot.referrals.FindChildren, find).refs
    register = referrals.RegisterChildRequest(yot="eastvale", child=material.child(subject))
    with pytest.raises(grpc.RpcError) as refused:
        yot.call("other-case-manager", yot.referrals.RegisterChild, register)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
