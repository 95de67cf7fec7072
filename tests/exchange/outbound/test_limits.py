"""How much one client may ask: 429 with Retry-After, counted and not written; nobody else is held back by it."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from ecm.exchange.api.application import build_application
from ecm.exchange.api.limits import Limits
from ecm.exchange.audit.line import Line, Waiting
from ecm.exchange.disclosure.asks import Answer
from ecm.exchange.disclosure.disclose_sql import agency_lock
from ecm.exchange.settings import ExchangeSettings
from ecm.kit.rates import Rates
from ecm.kit.region import Region, load_region
from exchange.outbound.world import BASE, COUNCIL, PSYCHOLOGY, Server, World, connect

LOCK = f"SELECT pg_advisory_xact_lock({agency_lock('$1::text')})"


@pytest_asyncio.fixture
async def narrowing(urls: dict[str, str]) -> AsyncIterator[Any]:
    """Whoever holds up an agency's calls."""
    sql = await connect(urls["owner"])
    yield sql
    await sql.close()


class Stopped:
    """A clock that stands still."""

    def __call__(self) -> float:
        return 1.0


HELD = 0.05


def limited(
    server: Server,
    *,
    rate: float = 0,
    at_once: int = 0,
    bad_tokens: float = 0,
    nameless: float = 0,
    held: float = HELD,
    **own: float,
) -> Server:
    """The same API with these limits, in which no time passes, and requests are held for so many seconds."""
    clients = Rates(rate, {name.replace("_", "-"): each for name, each in own.items()}, burst=1.0, clock=Stopped())
    strangers = (Rates(each, burst=1.0, clock=Stopped()) for each in (bad_tokens, nameless))
    limits = Limits(clients, at_once, *strangers, held_seconds=held)
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


async def test_settings_and_region_file_are_what_is_held(settings: ExchangeSettings, region: Region) -> None:
    first, *others = region.clients
    own = region.model_copy(update={"clients": [first.model_copy(update={"requests_per_second": 1.0}), *others]})
    limits = Limits.of(settings, own)
    for _ in range(2):
        await limits.enter(first.id)
    with pytest.raises(Exception, match="too often"):
        await limits.enter(first.id)
    await limits.enter(others[0].id)


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


async def test_a_page_costs_what_is_on_it(world: World, server: Server) -> None:
    """Eight resources are one request more."""
    child = uuid4()
    patient = await world.patient(child)
    for _ in range(15):
        await world.observation(child, patient)
    await world.grant(child, PSYCHOLOGY, "referral")
    asked, nobody = limited(server, rate=4), f"Patient/{uuid4()}"
    page = await asked.get("Observation?_count=15", scope="system/*.rs")
    assert len(page.json()["entry"]) == 1 + 15
    assert [(await asked.get(nobody)).status_code for _ in range(2)] == [404, 429]


async def test_so_many_at_once_and_the_others_wait_for_their_turn(world: World, server: Server, narrowing: Any) -> None:
    asked = limited(server, at_once=2, held=60)
    answers = await asyncio.gather(*(asked.get(f"Patient/{uuid4()}") for _ in range(6)))
    assert [answer.status_code for answer in answers] == [404] * 6


async def test_who_waits_in_vain_is_refused(world: World, server: Server, narrowing: Any) -> None:
    asked, before = limited(server, at_once=2), turned_away("client_busy")
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        asking = [asyncio.create_task(asked.get(f"Patient/{uuid4()}")) for _ in range(6)]
        refused = list(itertools.islice(asyncio.as_completed(asking), 4))
        assert all([is_refusal(await one) for one in refused])
        assert sum(one.done() for one in asking) == 4, "who has a place keeps it"
        assert (await asked.get(f"Patient/{uuid4()}", COUNCIL)).status_code == 404, "another client has its own"
    assert sorted(one.status_code for one in await asyncio.gather(*asking)) == [404] * 2 + [429] * 4
    assert turned_away("client_busy") - before == 4
    answers = await asyncio.gather(*(asked.get(f"Patient/{uuid4()}") for _ in range(2)))
    assert [answer.status_code for answer in answers] == [404] * 2, "their places are free again"


async def test_a_place_is_free_again_whatever_became_of_the_request(world: World, server: Server) -> None:
    asked = limited(server, at_once=1)
    server.lease.held = False
    assert (await asked.get("Patient/1")).status_code == 503
    server.lease.held = True
    assert (await asked.get("Patient/1")).status_code == 404
    assert (await asked.ask("DELETE", "Patient/1")).status_code == 405


async def test_without_a_token_who_asks_much_is_answered_late(world: World, server: Server) -> None:
    """Answered still: who watches over the exchange may have the same address."""
    asked, before = limited(server, nameless=2), turned_away("nameless")

    async def status(path: str) -> int:
        return (await asked.http.get(f"http://exchange.invalid/{path}")).status_code

    assert [await status(path) for path in ("fhir/metadata", "health/live", "health/live", "fhir/Patient/1")] == [
        *(200, 200, 200, 401)
    ]
    assert turned_away("nameless") - before == 2
    assert (await asked.get("Patient/1")).status_code == 404


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


async def test_an_agency_never_has_all_writers(world: World, server: Server, narrowing: Any) -> None:
    """Whatever it asks for, in as many sorts as there are: another agency's is answered meanwhile."""
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        paths = ("Patient/1", "Patient", "Observation?patient=1", "Patient?identifier=1", "Patient/1/$everything")
        asking = [asyncio.create_task(server.get(path, scope="system/*.rs")) for path in paths for _ in range(40)]
        await asyncio.sleep(0.2)
        assert (await server.get("Patient", COUNCIL, scope="system/*.rs")).status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200, 404}


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
