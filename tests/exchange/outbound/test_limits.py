"""How much one client may ask: 429 with Retry-After, counted and not written; nobody else is held back by it."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import REGISTRY

from ecm.exchange.api.application import build_application
from ecm.exchange.asks import Answer
from ecm.exchange.audit.line import Line, Waiting
from ecm.exchange.limits import Limits
from ecm.exchange.settings import ExchangeSettings
from ecm.kit.rates import Rates
from ecm.kit.region import Region, load_region
from exchange.outbound.world import BASE, COUNCIL, PSYCHOLOGY, Server, World


class Stopped:
    """A clock that stands still."""

    def __call__(self) -> float:
        return 1.0


def limited(server: Server, *, rate: float = 0, at_once: int = 0, bad_tokens: float = 0, **own: float) -> Server:
    """The same API with these limits, in which no time passes."""
    clients = Rates(rate, {name.replace("_", "-"): each for name, each in own.items()}, burst=1.0, clock=Stopped())
    limits = Limits(clients, at_once, Rates(bad_tokens, burst=1.0, clock=Stopped()))
    application = build_application(replace(server.api, limits=limits), lambda: True, datetime.now(UTC))
    transport = httpx.ASGITransport(application, raise_app_exceptions=True)
    server.http = httpx.AsyncClient(transport=transport, base_url=BASE)
    return server


def turned_away(why: str) -> float:
    """How often, as the metrics say."""
    return REGISTRY.get_sample_value("ecm_http_turned_away_total", {"why": why}) or 0.0


def is_refusal(answer: httpx.Response) -> bool:
    """429 as it should be."""
    assert answer.status_code == 429, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    (issue,) = answer.json()["issue"]
    return bool(issue["code"] == "throttled" and issue["details"]["coding"][0]["code"] == "RATE_LIMITED")


async def test_too_often_is_429_counted_and_not_written(world: World, server: Server) -> None:
    asked, before = limited(server, rate=3), turned_away("client_rate")
    path = f"Patient/{uuid4()}"
    assert [(await asked.get(path)).status_code for _ in range(3)] == [404] * 3
    assert all([is_refusal(await asked.get(path)) for _ in range(4)])
    assert len(await world.audit()) == 3
    assert turned_away("client_rate") - before == 4
    assert (await asked.get(path, COUNCIL)).status_code == 404, "another client has its own"


async def test_the_region_file_says_otherwise_for_a_client(server: Server) -> None:
    asked = limited(server, rate=1, **{COUNCIL: 5})
    assert [(await asked.get("Patient/1", COUNCIL)).status_code for _ in range(6)] == [404] * 5 + [429]
    assert [(await asked.get("Patient/1", PSYCHOLOGY)).status_code for _ in range(2)] == [404, 429]


def test_settings_and_region_file_are_what_is_held(settings: ExchangeSettings, region: Region) -> None:
    first, *others = region.clients
    own = region.model_copy(update={"clients": [first.model_copy(update={"requests_per_second": 1.0}), *others]})
    limits = Limits.of(settings, own)
    for _ in range(2):
        limits.enter(first.id)
    with pytest.raises(Exception, match="too often"):
        limits.enter(first.id)
    limits.enter(others[0].id)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, repository: Any) -> Iterator[ExchangeSettings]:
    """Those of an exchange, all defaults."""
    for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP", "KAFKA_USERNAME", "KAFKA_PASSWORD", "ISSUER", "JWKS_URL"):
        monkeypatch.setenv(f"ECM_{name}", "x")
    for name in ("TOKEN_URL", "PSEUDONYM_KEY_FILE", "AUDIT_KEY_FILE", "CURSOR_KEY_FILE", "CHECKPOINT_DIR"):
        monkeypatch.setenv(f"ECM_{name}", "x")
    monkeypatch.setenv("ECM_REGION_FILE", str(repository / "deploy/regions/example/region.yaml"))
    yield ExchangeSettings()


@pytest.fixture
def region(settings: ExchangeSettings) -> Region:
    return load_region(settings.region_file)


async def test_so_many_at_once_and_then_again(world: World, server: Server) -> None:
    asked = limited(server, at_once=2)
    answers = await asyncio.gather(*(asked.get(f"Patient/{uuid4()}") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [404] * 2 + [429] * 4
    assert all(is_refusal(answer) for answer in answers if answer.status_code == 429)
    answers = await asyncio.gather(*(asked.get(f"Patient/{uuid4()}") for _ in range(2)))
    assert [answer.status_code for answer in answers] == [404] * 2, "their places are free again"


async def test_a_place_is_free_again_whatever_became_of_the_request(world: World, server: Server) -> None:
    asked = limited(server, at_once=1)
    server.lease.held = False
    assert (await asked.get("Patient/1")).status_code == 503
    server.lease.held = True
    assert (await asked.get("Patient/1")).status_code == 404
    assert (await asked.ask("DELETE", "Patient/1")).status_code == 405


async def test_bad_tokens_are_looked_at_so_often_and_good_ones_go_on(world: World, server: Server) -> None:
    asked = limited(server, bad_tokens=3)
    good, before = server.token(), turned_away("bad_tokens")

    async def with_token(token: str) -> httpx.Response:
        return await asked.http.get(f"{BASE}/Patient/1", headers={"authorization": f"Bearer {token}"})

    assert (await with_token(good)).status_code == 404
    head, _, signature = good.split(".")
    forged = [f"{head}.{base64.urlsafe_b64encode(f'{{{n}}}'.encode()).decode()}.{signature}" for n in range(6)]
    assert [(await with_token(token)).status_code for token in forged] == [401] * 3 + [429] * 3
    assert turned_away("bad_tokens") - before == 3
    assert is_refusal(await with_token(server.token(COUNCIL))), "one that is new has to wait"
    assert (await with_token(good)).status_code == 404, "one that is known hasn't"


async def test_a_header_nested_without_end_is_a_bad_token(server: Server) -> None:
    """json gives up with a RecursionError, which is no ValueError: it was answered 500."""
    for inner in (b"[" * 9_000, b'{"a":' * 2_000):
        token = base64.urlsafe_b64encode(inner).decode() + ".e30.c2ln"
        answer = await server.http.get(f"{BASE}/Patient/1", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401


def waiting(client: str, number: int) -> Waiting:
    """One that waits."""
    answer: asyncio.Future[Answer] = asyncio.Future()
    return Waiting(client, {"number": number}, answer, 0.0)


async def test_clients_of_an_agency_take_turns() -> None:
    line = Line()
    for number in range(5):
        line.append(waiting("much", number))
    for number in range(2):
        line.append(waiting("little", number))
    taken = [(one.client, one.document["number"]) for one in line.take(5)]
    assert taken == [("much", 0), ("little", 0), ("much", 1), ("little", 1), ("much", 2)]
    assert len(line) == len(list(line)) == 2
    assert [one.document["number"] for one in line.take(5)] == [3, 4]
    assert line.take(5) == []


async def test_agencies_take_turns(world: World, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much of one waits, the other's is in the next call but one of each writer."""
    calls: list[str] = []
    for_real = type(server.writers)._call

    async def noted(self: Any, writer: Any, key: Any) -> None:
        calls.append(key[0])
        await for_real(self, writer, key)

    monkeypatch.setattr(type(server.writers), "_call", noted)
    much = [asyncio.create_task(server.get("Patient", PSYCHOLOGY, scope="system/*.rs")) for _ in range(120)]
    await asyncio.sleep(0)
    little = asyncio.create_task(server.get("Patient", COUNCIL, scope="system/*.rs"))
    await little
    assert calls.index(COUNCIL) <= 2 * 2
    await asyncio.gather(*much)
    assert len(calls) >= 120 // 8
