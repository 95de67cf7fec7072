"""Parsers behind the FHIR side's first look, and beside it: conditional headers, forms, page tokens, events' values,
the issuer's keys and token endpoint, the demo's people."""

import asyncio
import base64
import json
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import orjson
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey
from structlog.testing import capture_logs

from attack.hostile import TEXTS, bent, broken, text, value
from attack.parsers import BASE, FINGERPRINTS, ISSUER, REGION, Attack
from ecm.admin.names import JWT_BEARER, PERSON_CLIENT
from ecm.admin.people import load_people
from ecm.api.referrals.v1.referrals_events_pb2 import RecordChanged
from ecm.exchange.api.door import _read_form
from ecm.exchange.api.inquiry import describe
from ecm.exchange.api.read import _is_known
from ecm.exchange.api.request import PartnerRequest
from ecm.exchange.audit.listing import _after
from ecm.exchange.consumer import read
from ecm.exchange.disclosure.asks import Released
from ecm.exchange.intake.elements import Target
from ecm.exchange.intake.resolve import check_match
from ecm.kit.auth.jwks import JwksCache
from ecm.kit.bus.events import Event
from ecm.kit.clock import SystemClock
from ecm.local.issuer.assertions import AssertionCheck
from ecm.local.issuer.clients import Registered
from ecm.local.issuer.grants import JWT_ASSERTION, Grants
from ecm.local.issuer.replay import UsedAssertions
from unit.exchange.intake import posted

NOW = 1_800_000_000
CHANGED = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = (
    "Mon, 01 Jan 2024 00:00:00",
    "Sun, 06 Nov 2044 08:49:37",
    "Sunday, 06-Nov-94 08:49:37",
    "1 Jan 99999999999",
)
ZONES = ("", " GMT", " +0100", " -0000", f" +{'9' * 22}", f" -{'9' * 400}", " EST", " +")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _run(what: Awaitable[Any]) -> Any:
    return _loop().run_until_complete(what)


def _header(random: Random) -> str:
    """As a server passes one on: Latin-1, without a line's end."""
    said = random.choice((text(random), random.randbytes(12).decode("latin-1")))
    return said.encode("latin-1", "replace").decode("latin-1").replace("\r", "").replace("\n", "")


def _request(headers: dict[str, str], body: bytes = b"", piece: int = 7) -> PartnerRequest:
    sent = [(name.encode(), said.encode("latin-1")) for name, said in headers.items()]
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)] or [b""]
    told = iter([{"type": "http.request", "body": one, "more_body": one is not pieces[-1]} for one in pieces])

    async def receive() -> Any:
        return next(told)

    scope = {"type": "http", "method": "POST", "path": "/fhir/Patient/_search", "headers": sent, "query_string": b""}
    return PartnerRequest(scope, receive)


def conditions(random: Random) -> None:
    """If-None-Match, If-Modified-Since, If-Match."""
    day = random.choice((_header(random), random.choice(DAYS) + random.choice(ZONES)))
    named = random.choice((_header(random), 'W/"v1"', '*, W/"v1"', '"' * 99))
    headers = dict(random.sample([("if-none-match", named), ("if-modified-since", day)], random.randrange(3)))
    _is_known(_request(headers), Released("Patient/x/v1", b"{}"), CHANGED)
    check_match(posted.seen(Target("Patient", UUID(int=1))), random.choice((named, day, "")))


def forms(random: Random) -> None:
    """The body of `POST _search`, in pieces."""
    pairs = "&".join(f"{_quoted(random)}={_quoted(random)}" for _ in range(random.choice((0, 1, 3, 99, 101))))
    body = broken(random, pairs.encode()) if random.randrange(2) else pairs.encode("latin-1", "replace")
    incoming: Any = SimpleNamespace(
        request=_request({"content-type": "application/x-www-form-urlencoded"}, body, random.choice((1, 9, 4_000))),
        pairs=[("_count", "2")],
        path=("Patient", "_search"),
        api=SimpleNamespace(fingerprints=FINGERPRINTS),
    )
    _run(_read_form(incoming))
    describe("POST", incoming.path, incoming.pairs, FINGERPRINTS)


def _quoted(random: Random) -> str:
    return random.choice(("identifier", "_cursor", "%ff%fe", "%00", "%", "%zz", "+", ";", *TEXTS[:40]))


def page_tokens(random: Random) -> None:
    """Where a page of disclosures begins."""
    good = [CHANGED.isoformat(), str(UUID(int=1)), 5]
    hostile = bent(random, good) if random.randrange(4) else value(random)
    data = json.dumps(hostile).encode()
    token = base64.urlsafe_b64encode(broken(random, data) if random.randrange(4) == 0 else data).decode()
    at, _, n = _after(random.choice((token, token, token, token[:-1], text(random))) or "x")
    assert at.tzinfo is not None
    assert 0 <= n < 2**63


def event_values(random: Random) -> None:
    """What an event names."""
    named = (str(UUID(int=random.getrandbits(128))), text(random).encode("utf-8", "replace").decode())
    content = RecordChanged(
        record_id=random.choice(named),
        child_id=random.choice((*named, "")),
        kind=random.choice((1, 2, 99, -1)),  # type: ignore[arg-type]
        version=random.choice((0, -1, 5, 2**31 - 1)),
    ).SerializeToString()
    content = random.choice((content, broken(random, content), random.randbytes(20)))
    kind = random.choice((RecordChanged.DESCRIPTOR.full_name,) * 5 + (text(random),))
    read(Event("1", kind, "/example/referrals", CHANGED, "", "", content))


@cache
def _key(name: str) -> ECKey:
    return ECKey.generate_key("P-384", {"kid": name})


def key_sets(random: Random) -> None:
    """What an issuer says are its keys."""
    keys: Any = {"keys": [_key("a").as_dict(private=False), _key("b").as_dict(private=False)]}
    for _ in range(random.randrange(4)):
        keys = bent(random, keys)
    data = json.dumps(keys).encode("utf-8", "surrogatepass")
    if random.randrange(5) == 0:
        data = random.choice((broken(random, data), b"[" * 50_000))
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=data)))
    with capture_logs():
        _run(JwksCache(f"{ISSUER}/jwks", SystemClock(), http).key(random.choice(("a", "b", text(random)))))


@cache
def _grants() -> Grants:
    keys = {name: _key(name) for name in ("nhs-psychology", "ecm-consent", PERSON_CLIENT)}
    clients = {
        "nhs-psychology": Registered("nhs-psychology", "partner", keys["nhs-psychology"], "x", ("system/*.rs",)),
        "ecm-consent": Registered("ecm-consent", "service", keys["ecm-consent"]),
        PERSON_CLIENT: Registered(PERSON_CLIENT, "people", keys[PERSON_CLIENT]),
    }
    return Grants(clients, {}, AssertionCheck((ISSUER,), UsedAssertions(Path(":memory:"))), BASE)


def token_requests(random: Random) -> None:
    """The local issuer's token endpoint: forms, and assertions that are rightly signed."""
    client = random.choice(tuple(_grants().clients))
    claims: Any = {
        "iss": client,
        "sub": client,
        "aud": ISSUER,
        "exp": NOW + 60,
        "iat": NOW,
        "jti": str(random.random()),
    }
    for _ in range(random.randrange(3)):
        claims = bent(random, claims)
    header = {"alg": "ES384", "kid": client}
    signed = jwt.encode(header, claims, _key(client), algorithms=["ES384"]) if isinstance(claims, dict) else "a.b.c"
    assertion = random.choice((signed, signed, broken(random, signed.encode()).decode("latin-1"), _deep()))
    form = {
        "grant_type": random.choice(("client_credentials", JWT_BEARER)),
        "client_assertion_type": JWT_ASSERTION,
        "client_assertion": assertion,
        "assertion": assertion,
        "scope": random.choice(("system/Patient.rs", "ecm-consent", text(random))),
    }
    if random.randrange(4) == 0:
        del form[random.choice(list(form))]
        form[random.choice(list(form))] = text(random)
    orjson.dumps(_grants().decide(form, NOW).scope)


@cache
def _deep() -> str:
    return ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"ES384"}', b"[" * 9_000, b"x")
    )


@cache
def _people() -> Any:
    return yaml.safe_load(REGION.with_name("people.yaml").read_text(encoding="utf-8"))


def people(random: Random) -> None:
    """The demo's people."""
    bad = (b"people: 2026-13-45", b"\xff", b"[" * 1_500, b"a: !!timestamp x")
    data = json.dumps(bent(random, _people()), default=str).encode("utf-8", "surrogatepass")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "people.yaml"
        file.write_bytes(random.choice((*[data] * 12, broken(random, data), random.choice(bad))))
        load_people(file)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (conditions, forms, page_tokens, event_values, key_sets, token_requests, people)
}
