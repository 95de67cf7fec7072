"""Every bad token is refused with its own reason, by gRPC and by FHIR, whichever the issuer; nothing is stored."""

import uuid

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from ecm.api.referrals.v1.referrals_service_pb2 import GetChildRequest, RegisterChildRequest
from ecm.api.referrals.v1.referrals_service_pb2_grpc import ReferralsServiceStub
from ecm.demo import material
from ecm.local.stack import Stack
from identity.server import published_key
from rpc.tokens import BAD, Forge


@pytest.fixture(scope="module")
def served(region_of_either_issuer: Stack) -> Stack:
    return region_of_either_issuer


@pytest.fixture(scope="module")
def forge(served: Stack, request: pytest.FixtureRequest) -> Forge:
    if not served.plan.keycloak:
        return Forge.local(served)
    admin = request.getfixturevalue("keycloak").admin(served.plan.load_region().slug)
    return Forge(served, published_key(admin), "RS256")


def call_grpc(stack: Stack, token: str | None, *, register: bool = False) -> grpc.RpcError | None:
    """The error that a call with this token gets, or None."""
    subject = material.Subject("Nobody", "Never", "9990000042", f"T-{uuid.uuid4()}", material.birth_date(_today(stack)))
    with grpc.insecure_channel(stack.addresses["referrals"]) as channel:
        stub = ReferralsServiceStub(channel)
        metadata = [("idempotency-key", str(uuid.uuid4()))] + ([("authorization", f"Bearer {token}")] if token else [])
        request = RegisterChildRequest(yot="eastvale", child=material.child(subject))
        try:
            if register:
                stub.RegisterChild(request, metadata=metadata, timeout=10)
            else:
                stub.GetChild(GetChildRequest(child_id=str(uuid.uuid4())), metadata=metadata, timeout=10)
        except grpc.RpcError as error:
            return error
    return None


def reason_of(error: grpc.RpcError) -> str:
    """`ErrorInfo.reason` of a gRPC error."""
    trailing = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    return next(info.reason for detail in status.details if detail.Unpack(info))


@pytest.mark.parametrize("name", BAD)
def test_grpc_refuses(served: Stack, forge: Forge, name: str) -> None:
    reason, make = BAD[name]
    error = call_grpc(served, make(forge, forge.person()), register=True)
    assert error is not None and error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(error) == reason
    assert error.details()


def test_grpc_refuses_no_token_at_all(served: Stack) -> None:
    error = call_grpc(served, None)
    assert error is not None and reason_of(error) == "TOKEN_MISSING"


def test_a_partners_token_opens_no_grpc(served: Stack) -> None:
    error = call_grpc(served, served.token(client="nhs-psychology"))
    assert error is not None and reason_of(error) == "TOKEN_AUDIENCE"


def test_the_forge_can_make_good_ones(served: Stack, forge: Forge) -> None:
    error = call_grpc(served, forge.sign(forge.person()))
    assert error is not None and reason_of(error) == "NOT_FOUND"
    answer = get_fhir(served, forge.sign(forge.partner()))
    assert answer.status_code == 200


def get_fhir(stack: Stack, token: str | None) -> httpx.Response:
    """A search that finds nobody, with this token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{stack.addresses['fhir']}/Patient?identifier=nobody", headers=headers, trust_env=False)


@pytest.mark.parametrize("name", BAD)
def test_fhir_refuses(served: Stack, forge: Forge, name: str) -> None:
    reason, make = BAD[name]
    answer = get_fhir(served, make(forge, forge.partner()))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert reason in answer.text


def test_fhir_refuses_no_token_and_a_persons(served: Stack) -> None:
    assert get_fhir(served, None).status_code == 401
    assert get_fhir(served, served.token(person="case-manager")).status_code == 401


def _today(stack: Stack):  # type: ignore[no-untyped-def]
    from datetime import datetime

    return datetime.now(stack.plan.load_region().zone).date()
