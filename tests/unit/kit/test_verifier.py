"""Good tokens are taken; every bad one is refused with its own reason."""

import asyncio
import base64
import contextlib
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from ecm.kit.auth.claims import claims_schema
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.errors import DomainError, GrpcStatus, Reason
from unit.kit.builders import ISSUER, REPOSITORY, FakeClock, TestIssuer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> TestIssuer:
    return TestIssuer(clock)


@pytest.fixture
def verifier(issuer: TestIssuer, clock: FakeClock) -> TokenVerifier:
    return TokenVerifier(ISSUER, f"{ISSUER}/jwks.json", "ecm-referrals", clock, issuer.http())


async def reason(verifier: TokenVerifier, token: str) -> Reason:
    with pytest.raises(DomainError) as caught:
        await verifier.verify(token)
    return caught.value.reason


async def test_a_good_token(verifier: TokenVerifier, issuer: TestIssuer) -> None:
    claims = await verifier.verify(issuer.token(scope="a b"))
    assert claims.sub == "case-manager" and claims.scopes == {"a", "b"}
    assert [(pair.yot, pair.role) for pair in claims.ecm_roles] == [("eastvale", "case-manager")]


async def test_a_single_audience_may_be_a_string(verifier: TokenVerifier, issuer: TestIssuer) -> None:
    assert (await verifier.verify(issuer.token(aud="ecm-referrals"))).aud == ["ecm-referrals"]


BAD_CLAIMS: dict[str, tuple[dict[str, Any], Reason]] = {
    "expired": ({"exp": 1}, Reason.TOKEN_EXPIRED),
    "issued in the future": ({"iat": 4_000_000_000, "exp": 4_000_000_300}, Reason.TOKEN_EXPIRED),
    "not valid yet": ({"nbf": 4_000_000_000}, Reason.TOKEN_EXPIRED),
    "another issuer": ({"iss": "http://elsewhere.test"}, Reason.TOKEN_ISSUER),
    "another audience": ({"aud": ["http://127.0.0.1:8080/fhir"]}, Reason.TOKEN_AUDIENCE),
    "a longer audience": ({"aud": ["ecm-referrals-2"]}, Reason.TOKEN_AUDIENCE),
    "malformed roles": ({"ecm_roles": "case-manager"}, Reason.TOKEN_MALFORMED),
    "malformed exp": ({"exp": "tomorrow"}, Reason.TOKEN_MALFORMED),
    "longer than an hour": ({"iat": 1_764_000_000, "exp": 1_764_003_601}, Reason.TOKEN_MALFORMED),
    "ten years long": ({"exp": 2_100_000_000}, Reason.TOKEN_MALFORMED),
} | {f"no {name}": ({name: None}, Reason.TOKEN_CLAIM_MISSING) for name in ("iss", "sub", "aud", "exp", "iat")}


@pytest.mark.parametrize("fault", BAD_CLAIMS)
async def test_bad_claims(verifier: TokenVerifier, issuer: TestIssuer, fault: str) -> None:
    changes, expected = BAD_CLAIMS[fault]
    assert await reason(verifier, issuer.token(**changes)) is expected


async def test_bad_signatures(verifier: TokenVerifier, issuer: TestIssuer) -> None:
    other = ECKey.generate_key("P-256", {"kid": "k1"})
    assert await reason(verifier, issuer.token(key=other)) is Reason.TOKEN_SIGNATURE
    assert await reason(verifier, issuer.token(kid="unknown")) is Reason.TOKEN_SIGNATURE
    head, body, _ = issuer.token().split(".")
    assert await reason(verifier, f"{head}.{body}.{'A' * 86}") is Reason.TOKEN_SIGNATURE


async def test_a_changed_payload(verifier: TokenVerifier, issuer: TestIssuer) -> None:
    head, _, signature = issuer.token().split(".")
    body = base64.urlsafe_b64encode(json.dumps(issuer.claims(sub="administrator")).encode()).decode().rstrip("=")
    assert await reason(verifier, f"{head}.{body}.{signature}") is Reason.TOKEN_SIGNATURE


async def test_algorithms_that_are_not_allowed(verifier: TokenVerifier, issuer: TestIssuer) -> None:
    secret = OctKey.import_key(json.dumps(issuer.key.as_dict(private=False)))
    assert await reason(verifier, issuer.token(alg="HS256", key=secret)) is Reason.TOKEN_ALGORITHM
    body = base64.urlsafe_b64encode(json.dumps(issuer.claims()).encode()).decode().rstrip("=")
    for algorithm in ("none", "None", "RS1"):
        head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "k1"}).encode()).decode().rstrip("=")
        assert await reason(verifier, f"{head}.{body}.") is Reason.TOKEN_ALGORITHM


async def test_an_allowed_algorithm_with_the_wrong_kind_of_key(verifier: TokenVerifier, issuer: TestIssuer) -> None:
    rsa = RSAKey.generate_key(2048, {"kid": "k1"})
    assert await reason(verifier, issuer.token(alg="RS256", key=rsa)) is Reason.TOKEN_SIGNATURE


@pytest.mark.parametrize(
    "token", ["", "x", "a.b", "a.b.c", "e30.e30.", "..", "[].[].[]", "a" * 20_000 + ".b.c", "ä.b.c"]
)
async def test_what_is_no_token(verifier: TokenVerifier, token: str) -> None:
    assert await reason(verifier, token) in (Reason.TOKEN_MALFORMED, Reason.TOKEN_ALGORITHM)


async def test_the_reasons_are_all_unauthenticated(verifier: TokenVerifier) -> None:
    for name in Reason:
        if name.startswith("TOKEN_"):
            assert DomainError(name, "").entry.grpc_status is GrpcStatus.UNAUTHENTICATED


async def test_leeway_is_five_seconds(verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock) -> None:
    token = issuer.token()
    clock.advance(304)
    await verifier.verify(token)
    clock.advance(1)
    assert await reason(verifier, token) is Reason.TOKEN_EXPIRED


async def test_a_remembered_token_expires_too(verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock) -> None:
    token = issuer.token()
    await verifier.verify(token)
    issuer.away = True
    await verifier.verify(token)
    clock.advance(400)
    assert await reason(verifier, token) is Reason.TOKEN_EXPIRED


async def test_unknown_keys_ask_the_issuer_at_most_once_in_ten_seconds(
    verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock
) -> None:
    await verifier.verify(issuer.token())
    clock.advance(11)
    for _ in range(20):
        await reason(verifier, issuer.token(kid="made-up"))
    assert issuer.asked == 2


async def test_a_new_key_is_found(verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock) -> None:
    await verifier.verify(issuer.token())
    new = ECKey.generate_key("P-384", {"kid": "k2", "alg": "ES384", "use": "sig"})
    issuer.keys.append(new)
    clock.advance(11)
    assert (await verifier.verify(issuer.token(key=new, alg="ES384", kid="k2"))).sub == "case-manager"


async def test_a_key_that_the_issuer_dropped_opens_nothing_after_ten_minutes(
    verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock
) -> None:
    await verifier.verify(issuer.token())
    issuer.keys = [ECKey.generate_key("P-256", {"kid": "k9"})]
    clock.advance(601)
    assert await reason(verifier, issuer.token()) is Reason.TOKEN_SIGNATURE


def long_token(issuer: TestIssuer, clock: FakeClock) -> str:
    """One that lives for as long as may be."""
    return issuer.token(exp=int(clock.now().timestamp()) + 3600)


async def test_a_remembered_token_ends_with_its_key(
    verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock
) -> None:
    token = long_token(issuer, clock)
    await verifier.verify(token)
    issuer.keys = [ECKey.generate_key("P-256", {"kid": "k1"})]
    clock.advance(601)
    assert await reason(verifier, token) is Reason.TOKEN_SIGNATURE
    assert not verifier.knows(token)


async def test_a_token_in_use_all_the_time_ends_with_its_key(
    verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock
) -> None:
    token = long_token(issuer, clock)
    await verifier.verify(token)
    issuer.keys = [ECKey.generate_key("P-256", {"kid": "k9"})]
    for _ in range(60):
        clock.advance(10)
        with contextlib.suppress(DomainError):
            await verifier.verify(token)
        await asyncio.sleep(0.001)
    assert await reason(verifier, token) is Reason.TOKEN_SIGNATURE


async def test_a_failure_of_long_ago_keeps_no_dropped_key(
    verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock
) -> None:
    await verifier.verify(issuer.token())
    clock.advance(601)
    issuer.away = True
    await verifier.verify(issuer.token())
    clock.advance(19)
    await verifier.verify(issuer.token())
    await asyncio.sleep(0.01)
    assert issuer.asked == 3, "beside the one that goes by what is known"
    issuer.away, issuer.keys = False, [ECKey.generate_key("P-256", {"kid": "k9"})]
    clock.advance(21)
    # Who comes while it is asked waits, too.
    reasons = await asyncio.gather(*(reason(verifier, issuer.token(scope=scope)) for scope in "ab"))
    assert reasons == [Reason.TOKEN_SIGNATURE] * 2 and issuer.asked == 4


async def test_an_issuer_that_is_away(verifier: TokenVerifier, issuer: TestIssuer) -> None:
    issuer.away = True
    assert await reason(verifier, issuer.token()) is Reason.PEER_UNREACHABLE
    # It is asked anew as soon as it is back: nothing was learned from its absence.
    issuer.away = False
    await verifier.verify(issuer.token())


async def test_keys_are_fetched_anew_beside_those_who_use_them(
    verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock
) -> None:
    await verifier.verify(issuer.token())
    clock.advance(299)
    await verifier.verify(issuer.token())
    await asyncio.sleep(0)
    assert issuer.asked == 1
    clock.advance(2)
    for _ in range(3):
        await verifier.verify(issuer.token())
        await asyncio.sleep(0.01)
    assert issuer.asked == 2
    clock.advance(400)
    issuer.keys = [ECKey.generate_key("P-256", {"kid": "k9"})]
    # Known, and asked about beside: the next after it is refused.
    await verifier.verify(issuer.token())
    await asyncio.sleep(0.01)
    assert await reason(verifier, issuer.token(scope="b")) is Reason.TOKEN_SIGNATURE


async def test_a_new_key_isnt_called_wrong_while_the_issuer_is_away(
    verifier: TokenVerifier, issuer: TestIssuer, clock: FakeClock
) -> None:
    await verifier.verify(issuer.token())
    clock.advance(11)
    issuer.away = True
    for _ in range(2):
        assert await reason(verifier, issuer.token(kid="new")) is Reason.PEER_UNREACHABLE
    assert issuer.asked == 2


def test_the_claims_have_a_schema() -> None:
    assert set(claims_schema()["required"]) == {"iss", "sub", "aud", "exp", "iat"}


def test_the_published_schema_of_claims_is_current() -> None:
    published = json.loads((REPOSITORY / "deploy" / "regions" / "claims.schema.json").read_text())
    assert published == claims_schema(), "run: python -m ecm.kit.auth.claims > deploy/regions/claims.schema.json"
