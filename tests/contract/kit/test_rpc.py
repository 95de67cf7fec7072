"""The door of a gRPC server: tokens, policy, actor, keys, deadlines, errors, health, and a graceful stop."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pydantic import SecretStr

from contract.kit.builders import KitSettings
from contract.kit.test_bus import until
from ecm.api.common.v1.actor_pb2 import Actor, AssertedPractitioner
from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1 import referrals_service_pb2 as service_pb2
from ecm.api.referrals.v1 import referrals_service_pb2_grpc as service_grpc
from ecm.kit.auth.policy import rule
from ecm.kit.auth.principal import PrincipalKind
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.call import Call, current_call
from ecm.kit.errors import DomainError, Reason, from_status
from ecm.kit.rpc.channel import Peer
from ecm.kit.rpc.server import PortTakenError, serving
from ecm.kit.rpc.status import STATUS_DETAILS_KEY
from ecm.kit.trace import Trace, current_trace
from faulting.proxy import Proxy
from unit.kit.builders import EXAMPLE_REGION, ISSUER, FakeClock, TestIssuer, example_region

DESCRIPTOR = service_pb2.DESCRIPTOR.services_by_name["ReferralsService"]
METHOD = f"/{DESCRIPTOR.full_name}/RegisterChild"
POLICY = {
    "RegisterChild": rule(people={"case-manager"}, services={"ecm-monitoring"}, partners={"psychology"}, command=True),
    "ListChildRecords": rule(services={"ecm-exchange"}, scope="none"),
}
KEY = ("idempotency-key", "key-00001")
EXCHANGE = {"sub": "ecm-exchange", "azp": "ecm-exchange", "ecm_roles": None}

Answer = Callable[[Call], Awaitable[None]]


class Servicer(service_grpc.ReferralsServiceServicer):
    """Remembers the call it answered, and does what the test says."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.traces: list[Trace] = []
        self.then: Answer | None = None

    async def RegisterChild(self, request: Any, context: Any) -> Any:
        self.calls.append(current_call())
        self.traces.append(current_trace())
        if self.then is not None:
            await self.then(current_call())
        return service_pb2.RegisterChildResponse(ref=RecordRef(record_id="r", version=1))

    async def ListChildRecords(self, request: Any, context: Any) -> Any:
        return service_pb2.ListChildRecordsResponse()


class Server:
    """A running server, and calls to it."""

    def __init__(self, port: int, issuer: TestIssuer, servicer: Servicer) -> None:
        self.port, self.issuer, self.servicer = port, issuer, servicer
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.stub = service_grpc.ReferralsServiceStub(self.channel)

    async def register(self, *metadata: tuple[str, str | bytes], key: bool = True, **claims: Any) -> Any:
        sent = (("authorization", f"Bearer {self.issuer.token(**claims)}"), *([KEY] if key else []), *metadata)
        return await self.stub.RegisterChild(service_pb2.RegisterChildRequest(), metadata=sent, timeout=5)

    async def refusal(self, *metadata: tuple[str, str | bytes], **how: Any) -> Reason:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.register(*metadata, **how)
        return reason_of(caught.value)


def reason_of(error: grpc.aio.AioRpcError) -> Reason:
    """The reason in the trailing metadata; its catalogue entry must agree with the status code."""
    details = dict(error.trailing_metadata() or ())[STATUS_DETAILS_KEY]
    domain = from_status(Status.FromString(details))
    assert error.code().name == domain.entry.grpc_status.name and error.details() == domain.message
    return domain.reason


def settings_for(listen: str = "127.0.0.1:0", calls: float = 0) -> KitSettings:
    secret = SecretStr("unused")
    return KitSettings(
        region_file=EXAMPLE_REGION,
        database_url=secret,
        listen=listen,
        kafka_bootstrap="",
        kafka_username="",
        kafka_password=secret,
        issuer=ISSUER,
        jwks_url=f"{ISSUER}/jwks.json",
        token_url=f"{ISSUER}/token",
        stop_seconds=3.0,
        calls_per_second=calls,
    )


@asynccontextmanager
async def a_server(listen: str = "127.0.0.1:0", *, calls: float = 0) -> AsyncIterator[Server]:
    issuer, servicer = TestIssuer(FakeClock()), Servicer()
    verifier = TokenVerifier(ISSUER, f"{ISSUER}/jwks.json", "ecm-referrals", issuer.clock, issuer.http())

    def add(server: grpc.aio.Server) -> None:
        service_grpc.add_ReferralsServiceServicer_to_server(servicer, server)

    settings = settings_for(listen, calls)
    async with serving(settings, [DESCRIPTOR], add, POLICY, verifier, region=example_region()) as port:
        made = Server(port, issuer, servicer)
        try:
            yield made
        finally:
            await made.channel.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as made:
        yield made


async def test_a_person_is_admitted(server: Server) -> None:
    assert (await server.register()).ref.version == 1
    (call,) = server.servicer.calls
    assert (call.principal.kind, call.principal.id) == (PrincipalKind.PERSON, "case-manager")
    assert (call.method, call.idempotency_key, call.principal.agency) == (METHOD, "key-00001", "yot-eastvale")


async def test_a_service_is_admitted(server: Server) -> None:
    await server.register(sub="ecm-monitoring", azp="ecm-monitoring", ecm_roles=None)
    assert server.servicer.calls[0].principal.kind is PrincipalKind.SERVICE


def actor(agency: str = "nhs-psychology", client: str = "nhs-psychology", practitioner: str = "") -> tuple[str, bytes]:
    made = Actor(agency=agency, client=client)
    if practitioner:
        made.practitioner.CopyFrom(AssertedPractitioner(id=practitioner))
    return ("ecm-actor-bin", made.SerializeToString())


async def test_a_partner_is_admitted_through_the_exchange(server: Server) -> None:
    await server.register(actor(practitioner="psychologist-1"), **EXCHANGE)
    principal = server.servicer.calls[0].principal
    assert (principal.kind, principal.id, principal.practitioner) == (
        PrincipalKind.PARTNER,
        "nhs-psychology",
        "psychologist-1",
    )


REFUSED: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "another role": ((), {"ecm_roles": [{"yot": "eastvale", "role": "analyst"}]}),
    "no role": ((), {"ecm_roles": []}),
    "another service": ((), {"sub": "ecm-consent", "azp": "ecm-consent", "ecm_roles": None}),
    "a partner's client": ((), {"sub": "x", "azp": "nhs-psychology", "ecm_roles": None}),
    "the exchange on its own": ((), EXCHANGE),
    "an actor from a person": ((actor(),), {}),
    "an actor from another service": (
        (actor(),),
        {"sub": "ecm-monitoring", "azp": "ecm-monitoring", "ecm_roles": None},
    ),
    "an agency of another kind": ((actor("la-eastvale", "la-eastvale"),), EXCHANGE),
    "another agency's client": ((actor("nhs-psychology", "la-eastvale"),), EXCHANGE),
    "an unknown client": ((actor("nhs-psychology", "nobody"),), EXCHANGE),
    "an empty actor": ((("ecm-actor-bin", b""),), EXCHANGE),
    "a practitioner whom the client may not assert": ((actor(practitioner="nobody"),), EXCHANGE),
}


@pytest.mark.parametrize("who", REFUSED)
async def test_refused(server: Server, who: str) -> None:
    metadata, claims = REFUSED[who]
    assert await server.refusal(*metadata, **claims) is Reason.PERMISSION_DENIED
    assert server.servicer.calls == []


async def test_a_malformed_actor(server: Server) -> None:
    assert await server.refusal(("ecm-actor-bin", b"\xff\xff"), **EXCHANGE) is Reason.INVALID_VALUE


async def test_a_method_without_a_rule_is_refused(server: Server) -> None:
    token = server.issuer.token()
    listed = {f"/{DESCRIPTOR.full_name}/{name}" for name in POLICY}
    for method in DESCRIPTOR.methods:
        name = f"/{DESCRIPTOR.full_name}/{method.name}"
        if name not in listed:
            call = server.channel.unary_unary(name)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"", metadata=(("authorization", f"Bearer {token}"), KEY), timeout=5)
            assert reason_of(caught.value) is Reason.PERMISSION_DENIED, name


async def test_tokens(server: Server) -> None:
    for authorization in ((), (("authorization", "Basic abc"),), (("authorization", "Bearer "),)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.stub.RegisterChild(
                service_pb2.RegisterChildRequest(), metadata=(*authorization, KEY), timeout=5
            )
        assert reason_of(caught.value) is Reason.TOKEN_MISSING
    # A partner's token has the FHIR base as its only audience.
    assert await server.refusal(aud=["http://127.0.0.1:8080/fhir"], azp="nhs-psychology") is Reason.TOKEN_AUDIENCE
    assert await server.refusal(exp=1) is Reason.TOKEN_EXPIRED
    assert server.servicer.calls == []


@pytest.mark.parametrize("value", ["short", "with blank", "x" * 129])
async def test_malformed_keys(server: Server, value: str) -> None:
    assert await server.refusal(("idempotency-key", value), key=False) is Reason.IDEMPOTENCY_KEY_MISSING


async def test_commands_need_a_key_and_reads_do_not(server: Server) -> None:
    assert await server.refusal(key=False) is Reason.IDEMPOTENCY_KEY_MISSING
    token = server.issuer.token(**EXCHANGE)
    request = service_pb2.ListChildRecordsRequest()
    await server.stub.ListChildRecords(request, metadata=(("authorization", f"Bearer {token}"),), timeout=5)


async def test_the_trace_goes_on(server: Server) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    await server.register(("traceparent", f"00-{trace_id}-b7ad6b7169203331-01"))
    await server.register(("traceparent", "rubbish"))
    first, second = server.servicer.traces
    assert first.trace_id == trace_id and first.span_id != "b7ad6b7169203331"
    assert second.trace_id != trace_id


async def test_deadlines(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecm.kit.rpc.interceptor.LONGEST_SECONDS", 0.5)

    async def slow(call: Call) -> None:
        assert 0 < call.remaining() <= 0.5
        await asyncio.sleep(3)

    server.servicer.then = slow
    started = time.monotonic()
    assert await server.refusal() is Reason.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 2


async def test_without_a_deadline_the_servers_own_holds(server: Server) -> None:
    token = server.issuer.token()
    metadata = (("authorization", f"Bearer {token}"), KEY)
    await server.stub.RegisterChild(service_pb2.RegisterChildRequest(), metadata=metadata)
    assert 9 < server.servicer.calls[0].remaining() <= 10


async def test_errors_are_translated(server: Server) -> None:
    async def refuse(call: Call) -> None:
        raise DomainError(Reason.VERSION_CONFLICT, "Read it again.", field="expected_version")

    server.servicer.then = refuse
    assert await server.refusal() is Reason.VERSION_CONFLICT


async def test_a_fault_says_nothing_but_its_trace(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    async def fault(call: Call) -> None:
        raise ValueError("Jane Doe of 1 High Street")

    server.servicer.then = fault
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await server.register()
    assert reason_of(caught.value) is Reason.INTERNAL
    assert "Jane" not in str(caught.value) + "".join(str(item) for item in caught.value.trailing_metadata() or ())


async def test_health_and_reflection_are_open(server: Server) -> None:
    health = health_pb2_grpc.HealthStub(server.channel)
    for name in ("", DESCRIPTOR.full_name):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    stream = reflection.ServerReflectionInfo(timeout=5)
    await stream.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    listed = {service.name for service in (await stream.read()).list_services_response.service}
    stream.cancel()
    assert DESCRIPTOR.full_name in listed and "grpc.health.v1.Health" in listed


async def test_a_taken_port_is_said(server: Server) -> None:
    with pytest.raises(PortTakenError, match="set ECM_LISTEN to a free address"):
        async with a_server(f"127.0.0.1:{server.port}"):
            pass


async def test_stopping_lets_running_calls_end_also_after_errors() -> None:
    async with a_server() as server:
        for _ in range(5):
            await server.refusal(exp=1)
        begun = asyncio.Event()

        async def slow(call: Call) -> None:
            begun.set()
            await asyncio.sleep(0.5)

        server.servicer.then = slow
        running = asyncio.ensure_future(server.register())
        await begun.wait()
        channel, server.channel = server.channel, grpc.aio.insecure_channel("127.0.0.1:1")
    assert (await running).ref.version == 1
    await channel.close()


class Tokens:
    """A token source that counts."""

    def __init__(self, issuer: TestIssuer) -> None:
        self.issuer, self.forgotten, self.bad, self.bad_until = issuer, 0, False, 1
        self.given = ""

    async def token(self) -> str:
        bad = self.bad and self.forgotten < self.bad_until
        expired = {"exp": 1} if bad else {}
        self.given = self.issuer.token(sub="ecm-monitoring", azp="ecm-monitoring", ecm_roles=None, **expired)
        return self.given

    def forget(self, token: str) -> None:
        assert token == self.given
        self.forgotten += 1

    async def close(self) -> None:
        pass


def peer_of(server: Server, address: str = "") -> tuple[Peer, Tokens, Any]:
    peer = Peer(address or f"127.0.0.1:{server.port}", settings_for(), "ecm-referrals")
    tokens = Tokens(server.issuer)
    peer._tokens = tokens  # type: ignore[assignment]
    return peer, tokens, service_grpc.ReferralsServiceStub(peer.channel)


async def test_a_peer_sends_token_trace_key_and_deadline(server: Server) -> None:
    peer, _, stub = peer_of(server)
    request = service_pb2.RegisterChildRequest()
    answer = await peer.call(stub.RegisterChild, request, timeout=3, idempotency_key="key-00002")
    assert answer.ref.version == 1
    (call,) = server.servicer.calls
    assert call.idempotency_key == "key-00002" and 2 < call.remaining() <= 3
    await peer.close()


async def test_a_peers_connection_that_is_gone_without_a_word_is_made_anew(server: Server) -> None:
    proxy = Proxy(f"127.0.0.1:{server.port}")
    peer, _, stub = peer_of(server, proxy.address)
    request = service_pb2.RegisterChildRequest()
    await peer.call(stub.RegisterChild, request, timeout=3, idempotency_key="key-00002")
    proxy.strand()

    async def answers() -> bool:
        try:
            await peer.call(stub.RegisterChild, request, timeout=1, idempotency_key="key-00002")
        except DomainError as error:
            assert error.retryable
            return False
        return True

    assert not await answers()
    # A call like this one every now and then: nobody's keeps the connection busy all the time.
    await until(lambda: pausing(answers), seconds=60)
    await peer.close()
    proxy.close()


async def pausing(answers: Callable[[], Awaitable[bool]]) -> bool:
    await asyncio.sleep(1)
    return await answers()


async def test_a_peers_errors_are_domain_errors(server: Server) -> None:
    peer, _, stub = peer_of(server)
    with pytest.raises(DomainError) as caught:
        await peer.call(stub.RegisterChild, service_pb2.RegisterChildRequest())
    assert caught.value.reason is Reason.IDEMPOTENCY_KEY_MISSING

    async def slow(call: Call) -> None:
        await asyncio.sleep(3)

    server.servicer.then = slow
    with pytest.raises(DomainError) as caught:
        await peer.call(
            stub.RegisterChild, service_pb2.RegisterChildRequest(), timeout=0.3, idempotency_key="key-00003"
        )
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED
    await peer.close()


async def test_a_refused_token_is_replaced_once(server: Server) -> None:
    peer, tokens, stub = peer_of(server)
    tokens.bad = True
    await peer.call(stub.RegisterChild, service_pb2.RegisterChildRequest(), idempotency_key="key-00004")
    assert tokens.forgotten == 1
    await peer.close()


async def test_a_service_whose_token_isnt_taken_says_so_as_its_own_fault(server: Server) -> None:
    """Its caller's token is a good one, and what was asked wasn't refused: it may be tried again."""
    peer, tokens, stub = peer_of(server)
    tokens.bad, tokens.bad_until = True, 2
    with pytest.raises(DomainError) as caught:
        await peer.call(stub.RegisterChild, service_pb2.RegisterChildRequest(), idempotency_key="key-00005")
    assert caught.value.reason is Reason.PEER_UNREACHABLE and caught.value.retryable
    assert "ecm-referrals" in caught.value.message and server.servicer.calls == []
    await peer.call(stub.RegisterChild, service_pb2.RegisterChildRequest(), idempotency_key="key-00005")
    await peer.close()


async def test_an_absent_peer_is_said_quickly_and_found_when_back() -> None:
    async with a_server() as server:
        peer, _, stub = peer_of(server)
        port = server.port
        await peer.call(stub.RegisterChild, service_pb2.RegisterChildRequest(), idempotency_key="key-00005")
    started = time.monotonic()
    with pytest.raises(DomainError) as caught:
        await peer.call(stub.RegisterChild, service_pb2.RegisterChildRequest(), idempotency_key="key-00006")
    assert caught.value.reason is Reason.PEER_UNREACHABLE and time.monotonic() - started < 1
    async with a_server(f"127.0.0.1:{port}") as server:
        peer._tokens.issuer = server.issuer  # type: ignore[attr-defined]
        async with asyncio.timeout(5):
            while True:
                try:
                    await peer.call(stub.RegisterChild, service_pb2.RegisterChildRequest(), idempotency_key="key-00007")
                    break
                except DomainError:
                    await asyncio.sleep(0.1)
        await peer.close()


async def test_a_person_who_calls_too_often_is_told_when_to_go_on() -> None:
    """Each person has their own; services, and partners through the exchange, aren't counted here."""
    async with a_server(calls=0.05) as server:
        await server.register()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.register()
        assert reason_of(caught.value) is Reason.RATE_LIMITED
        status = Status.FromString(dict(caught.value.trailing_metadata() or ())[STATUS_DETAILS_KEY])
        retry = RetryInfo()
        assert status.details[1].Unpack(retry)
        assert 1 <= retry.retry_delay.ToSeconds() <= 20
        await server.register(sub="somebody-else")
        for _ in range(3):
            await server.register(sub="ecm-monitoring", azp="ecm-monitoring", ecm_roles=None)
            await server.register(actor(), **EXCHANGE)
