"""The kit's token source and verifier against the local issuer."""

import asyncio
from pathlib import Path

import httpx
import pytest

from contract.kit.builders import KitSettings
from contract.kit.test_bus import until
from ecm.kit.auth.claims import Claims
from ecm.kit.auth.tokens import TokenSource
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.clock import SystemClock
from ecm.kit.errors import DomainError, Reason
from ecm.local.stack import Stack
from unit.kit.builders import FakeClock


class ExchangeSettings(KitSettings):
    """The exchange's: its key is registered at the issuer."""

    service = "exchange"


@pytest.fixture
def exchange(settings: KitSettings) -> ExchangeSettings:
    return ExchangeSettings(**{name: getattr(settings, name) for name in KitSettings.model_fields})


async def verified(settings: KitSettings, token: str, audience: str = "ecm-consent") -> Claims:
    async with httpx.AsyncClient() as http:
        return await TokenVerifier(settings.issuer, settings.jwks_url, audience, SystemClock(), http).verify(token)


async def test_a_services_own_token(exchange: ExchangeSettings) -> None:
    source = TokenSource(exchange, "ecm-consent")
    token = await source.token()
    claims = await verified(exchange, token)
    assert (claims.azp, claims.aud, claims.ecm_roles) == ("ecm-exchange", ["ecm-consent"], [])
    assert await source.token() == token, "cached"
    await source.close()


async def test_a_token_that_was_refused_is_dropped_once(exchange: ExchangeSettings) -> None:
    clock = FakeClock(SystemClock().now())
    source = TokenSource(exchange, "ecm-consent", clock=clock)
    refused = await source.token()
    source.forget(refused)
    assert await source.token() == refused, "the issuer was asked just now"
    clock.advance(1)
    source.forget(refused)
    new = await source.token()
    assert new != refused
    clock.advance(1)
    source.forget(refused)
    assert await source.token() == new, "another call had the old one refused, too"
    await source.close()


async def test_it_is_renewed_before_it_expires(exchange: ExchangeSettings) -> None:
    clock = FakeClock(SystemClock().now())
    source = TokenSource(exchange, "ecm-consent", clock=clock)
    token = await source.token()
    clock.seconds += 140
    assert await source.token() == token
    await asyncio.sleep(0.5)
    assert await source.token() == token, "half of its life isn't over"
    clock.seconds += 20
    assert await source.token() == token, "nobody waits for the next"
    await until(lambda: renewed(source, token))
    clock.seconds += 300
    assert await source.token() != token
    await source.close()


async def renewed(source: TokenSource, token: str) -> bool:
    return await source.token() != token


async def test_a_persons_token(infrastructure: Stack, exchange: ExchangeSettings) -> None:
    claims = await verified(exchange, infrastructure.token(person="case-manager"))
    assert [(pair.yot, pair.role) for pair in claims.ecm_roles] == [("eastvale", "case-manager")]
    assert claims.ecm_agency == "yot-eastvale"


async def test_a_partners_token_opens_no_service(infrastructure: Stack, exchange: ExchangeSettings) -> None:
    with pytest.raises(DomainError) as caught:
        await verified(exchange, infrastructure.token(client="nhs-psychology"))
    assert caught.value.reason is Reason.TOKEN_AUDIENCE


async def test_an_unknown_client_and_an_absent_issuer(exchange: ExchangeSettings, tmp_path: Path) -> None:
    away = exchange.model_copy(update={"token_url": "http://127.0.0.1:1/token"})
    for settings in (KitSettings(**{name: getattr(exchange, name) for name in KitSettings.model_fields}), away):
        source = TokenSource(settings, "ecm-consent")
        with pytest.raises(DomainError) as caught:
            await source.token()
        assert caught.value.reason is Reason.PEER_UNREACHABLE
        await source.close()
    for wrong in (None, tmp_path / "absent"):
        with pytest.raises(ValueError, match="ECM_CLIENT_KEY_FILE"):
            await TokenSource(exchange.model_copy(update={"client_key_file": wrong}), "ecm-consent").token()
