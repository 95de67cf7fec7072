"""RPC × caller: every RPC with every role, another YOT's token, every service's, another agency's and a partner's.

The expectation comes from the practice (`expected_roles.py`). A caller who may not gets PERMISSION_DENIED before the
request is looked at; one who may gets anything else for a request that names nothing real.
"""

import uuid
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ecm.api.common.v1.actor_pb2 import Actor
from ecm.kit.names import SERVICES
from ecm.local.stack import Stack
from rpc.expected_roles import EXPECTED, ROLES
from rpc.tokens import Forge

DENIED = grpc.StatusCode.PERMISSION_DENIED
AGENCIES = {"psychology": "nhs-psychology", "local-authority": "la-eastvale", "custody": "custody-northgate"}


@cache
def methods(service: str) -> dict[str, MethodDescriptor]:
    """The RPCs that a service's proto declares."""
    module = import_module(f"ecm.api.{service}.v1.{service}_service_pb2")
    return dict(module.DESCRIPTOR.services_by_name[f"{service.title()}Service"].methods_by_name)


EVERY = [(service, name) for service in SERVICES for name in methods(service)]


@pytest.fixture(scope="module")
def forge(region: Stack) -> Forge:
    return Forge.local(region)


@pytest.fixture(scope="module")
def channels(region: Stack) -> Iterator[dict[str, grpc.Channel]]:
    opened = {service: grpc.insecure_channel(region.addresses[service]) for service in SERVICES}
    yield opened
    for channel in opened.values():
        channel.close()


@pytest.fixture(scope="module")
def service_tokens(region: Stack) -> dict[tuple[str, str], str]:
    """(caller, callee) → that service's token."""
    return {
        (caller, callee): region.token(client=f"ecm-{caller}", audience=f"ecm-{callee}")
        for caller in SERVICES
        for callee in SERVICES
    }


def test_every_rpc_has_an_expectation() -> None:
    assert {service: set(methods(service)) for service in SERVICES} == {
        service: set(rows) for service, rows in EXPECTED.items()
    }


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_people(channels: dict[str, grpc.Channel], forge: Forge, service: str, name: str) -> None:
    words = EXPECTED[service][name].split()
    for word, role in ROLES.items():
        code = call(channels[service], service, name, forge.sign(forge.person(role=role)))
        assert (code is not DENIED) == (word in words), f"{role}: {code}"


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_services(
    channels: dict[str, grpc.Channel], service_tokens: dict[tuple[str, str], str], service: str, name: str
) -> None:
    words = EXPECTED[service][name].split()
    for caller in SERVICES:
        code = call(channels[service], service, name, service_tokens[caller, service])
        assert (code is not DENIED) == (f"@{caller}" in words), f"{caller}: {code}"


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_partners_through_the_exchange(
    channels: dict[str, grpc.Channel], service_tokens: dict[tuple[str, str], str], service: str, name: str
) -> None:
    words = EXPECTED[service][name].split()
    for kind, agency in AGENCIES.items():
        code = call(channels[service], service, name, service_tokens["exchange", service], actor=agency)
        assert (code is not DENIED) == bool({f"+{kind}", "+any"} & set(words)), f"{kind}: {code}"


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_an_actor_from_anybody_else_is_refused(
    channels: dict[str, grpc.Channel],
    service_tokens: dict[tuple[str, str], str],
    forge: Forge,
    service: str,
    name: str,
) -> None:
    for token in (service_tokens["consent", service], forge.sign(forge.person())):
        assert call(channels[service], service, name, token, actor="nhs-psychology") is DENIED


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_a_partners_token_opens_nothing(
    channels: dict[str, grpc.Channel], forge: Forge, service: str, name: str
) -> None:
    assert call(channels[service], service, name, forge.sign(forge.partner())) is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_another_agencys_person_is_refused(
    channels: dict[str, grpc.Channel], forge: Forge, service: str, name: str
) -> None:
    """Somebody of the psychology service, with a token that claims no YOT role, acts through the exchange alone."""
    claims = {**forge.person(agency="nhs-psychology"), "ecm_roles": []}
    assert call(channels[service], service, name, forge.sign(claims)) is DENIED


def call(channel: grpc.Channel, service: str, name: str, token: str, *, actor: str = "") -> grpc.StatusCode:
    """The status that a call with a request of made-up ids gets."""
    method = methods(service)[name]
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    metadata: list[tuple[str, Any]] = [("authorization", f"Bearer {token}"), ("idempotency-key", str(uuid.uuid4()))]
    if actor:
        metadata.append(("ecm-actor-bin", Actor(agency=actor, client=actor).SerializeToString()))
    unary = channel.unary_unary(
        f"/{method.containing_service.full_name}/{name}",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )
    try:
        unary(made_up(request()), metadata=metadata, timeout=10)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def made_up(request: Message) -> Message:
    """The request with a random UUID in every id, and nothing else."""
    for field in request.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_STRING and field.name.endswith("_id") and not field.is_repeated:
            setattr(request, field.name, str(uuid.uuid4()))
    return request
