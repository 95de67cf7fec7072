"""The issuer is cut off, one way or both, or slow: what is known goes on, nothing hangs, and errors say what it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from contract.kit.builders import KitSettings
from ecm.kit.auth import jwks, tokens
from ecm.kit.auth.tokens import TokenSource
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.clock import SystemClock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.rpc.channel import Peer
from ecm.local.stack import Stack
from faulting.issuer import through_to_issuer
from faulting.proxy import Proxy, Way
from unit.kit.builders import FakeClock

AT_ONCE, BOUND = 0.3, 0.5
FAULTS: dict[str, Callable[[Proxy], None]] = {
    "cut": Proxy.refuse,
    "held": Proxy.hold,
    "asking held": lambda proxy: proxy.hold((Way.ASKING,)),
    "answering held": lambda proxy: proxy.hold((Way.ANSWERING,)),
    "slower than we wait": lambda proxy: proxy.slow(3 * BOUND, 1e6),
}
pytestmark = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@pytest.fixture
def link(infrastructure: Stack) -> Iterator[Proxy]:
    proxy = Proxy(infrastructure.plan.issuer.removeprefix("http://"))
    yield proxy
    proxy.close()


@pytest.fixture
def through(settings: KitSettings, link: Proxy, monkeypatch: pytest.MonkeyPatch) -> KitSettings:
    """Settings of the exchange, whose way to the issuer is the link; all bounds are shorter."""
    monkeypatch.setattr(tokens, "ASK_SECONDS", BOUND)
    monkeypatch.setattr(jwks, "FETCH_SECONDS", BOUND)
    urls = {name.removeprefix("ECM_").lower(): url for name, url in through_to_issuer(link).items()}
    monkeypatch.setattr(KitSettings, "service", "exchange")
    return settings.model_copy(update=urls)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SystemClock().now())


@pytest.fixture
async def source(through: KitSettings, clock: FakeClock) -> AsyncIterator[TokenSource]:
    made = TokenSource(through, "ecm-consent", clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def verifier(through: KitSettings, clock: FakeClock) -> AsyncIterator[TokenVerifier]:
    async with httpx.AsyncClient() as http:
        yield TokenVerifier(through.issuer, through.jwks_url, "ecm-consent", clock, http)


async def refusals(count: int, ask: Callable[[], object], within: float) -> None:
    """So many who ask are all told so in time."""
    began = time.monotonic()
    answers = await asyncio.gather(*(ask() for _ in range(count)), return_exceptions=True)  # type: ignore[call-overload]
    assert time.monotonic() - began < within
    for answer in answers:
        assert isinstance(answer, DomainError) and answer.reason is Reason.PEER_UNREACHABLE
        assert "issuer" in str(answer)


async def test_a_token_that_is_good_is_used_meanwhile(
    source: TokenSource, clock: FakeClock, link: Proxy, fault: Callable[[Proxy], None]
) -> None:
    token = await source.token()
    fault(link)
    clock.seconds += 200
    for _ in range(3):
        began = time.monotonic()
        assert await source.token() == token
        assert time.monotonic() - began < AT_ONCE
        await asyncio.sleep(0.05)
    clock.seconds += 85
    assert await source.token() == token, "until shortly before it expires"
    clock.seconds += 10
    await refusals(20, source.token, 2 * BOUND)
    link.release()
    assert await source.token() != token


async def test_keys_that_are_known_are_used_meanwhile(
    infrastructure: Stack, verifier: TokenVerifier, clock: FakeClock, link: Proxy, fault: Callable[[Proxy], None]
) -> None:
    def new() -> str:
        return infrastructure.token(client="ecm-exchange", audience="ecm-consent")

    await verifier.verify(new())
    fault(link)
    for seconds, wait in ((400.0, AT_ONCE), (400.0, 2 * BOUND), (15.0, AT_ONCE), (400.0, 2 * BOUND)):
        # The issuer's tokens are as old as the wall says: only how long the keys are known for moves on.
        clock.seconds += seconds
        token, began = new(), time.monotonic()
        assert (await verifier.verify(token)).sub == "ecm-exchange"
        assert time.monotonic() - began < wait, f"{seconds:g} s later"


async def test_without_keys_all_who_wait_are_told_so_in_time(
    infrastructure: Stack, verifier: TokenVerifier, link: Proxy, fault: Callable[[Proxy], None]
) -> None:
    token = infrastructure.token(client="ecm-exchange", audience="ecm-consent")
    fault(link)
    await refusals(20, lambda: verifier.verify(token), 2 * BOUND)
    link.release()
    assert (await verifier.verify(token)).sub == "ecm-exchange"


async def test_a_call_without_a_token_keeps_its_deadline(
    through: KitSettings, link: Proxy, fault: Callable[[Proxy], None]
) -> None:
    fault(link)
    peer = Peer("127.0.0.1:1", through, "ecm-consent")
    method = peer.channel.unary_unary("/ecm.api.consent.v1.ConsentService/RenewLease")
    await refusals(3, lambda: peer.call(method, b"", timeout=0.2), BOUND)  # type: ignore[type-var, arg-type]
    await peer.close()
