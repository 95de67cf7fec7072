"""Every parser that reads what others send, under the inputs of `hostile.py`: it answers, or refuses in our words."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import yaml
from joserfc import jws
from joserfc.jwk import ECKey

from attack.hostile import CANARY, TEXTS, bent, broken, hostile_json, text, value
from ecm.exchange.api.body import read_resource
from ecm.exchange.api.errors import FhirError
from ecm.exchange.api.formats import check_accept, check_form
from ecm.exchange.api.inquiry import describe
from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.intake.authors import asserted
from ecm.exchange.intake.context import Found
from ecm.exchange.intake.forwarding import idempotency_key
from ecm.exchange.intake.strict_json import parse
from ecm.exchange.intake.write_table import Interaction, find
from ecm.exchange.mapping.codes import HCPC
from ecm.exchange.search.compile import compile_search
from ecm.exchange.search.cursor import Cursors
from ecm.exchange.search.parameters import SERVED, parameters
from ecm.exchange.search.query import read_search
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.bus.events import MalformedEventError, decode
from ecm.kit.clock import SystemClock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import RegionError, load_region
from ecm.kit.trace import parse_traceparent
from unit.exchange.intake import posted

AUTHORS = ({"system": HCPC, "value": "PYL00001"}, {"system": HCPC, "value": CANARY})
ISSUER, BASE = "http://issuer.invalid", "http://exchange.invalid/fhir"
FINGERPRINTS, CURSORS = Fingerprints(b"f" * 32), Cursors(b"c" * 32, SystemClock())
REGION = Path(__file__).parents[2] / "deploy/regions/example/region.yaml"
GOOD: tuple[tuple[Interaction, dict[str, Any]], ...] = (
    ("create", posted.developmental_map()),
    ("create", posted.stage()),
    ("create", posted.response()),
    ("create", posted.contribution()),
    ("create", posted.report()),
    ("create", posted.plan()),
    ("update", posted.report("final", id=posted.REPORT)),
    ("update", posted.plan(id=posted.REPORT)),
)


@dataclass
class Tally:
    """What became of the inputs: answered, or refused with which reason."""

    answered: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        return self.answered + sum(self.refused.values())


Attack = Callable[[Random], None]


def run(attack: Attack, count: int, seed: int) -> Tally:
    """Tries so many inputs; whatever isn't a refusal of ours is raised with the number that repeats it."""
    tally = Tally()
    for number in range(count):
        try:
            attack(Random(f"{seed}/{number}"))
        except (DomainError, FhirError) as error:
            check_words(error)
            tally.refused[error.reason] = tally.refused.get(error.reason, 0) + 1
        except (RegionError, MalformedEventError):
            tally.refused["malformed"] = tally.refused.get("malformed", 0) + 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, input {number}: {type(error).__name__}") from error
        else:
            tally.answered += 1
    return tally


def check_words(error: DomainError | FhirError) -> None:
    """Never a fault of ours, and never what was sent."""
    assert error.reason is not Reason.INTERNAL
    assert CANARY not in f"{error} {getattr(error, 'field', '')}", "a refusal repeats a value"
    assert len(str(error)) < 1_000


def strict_json(random: Random) -> None:
    """Any bytes as a body."""
    parse(hostile_json(random, random.choice(GOOD)[1]))


def writes(random: Random) -> None:
    """A write, from its bytes to its command, as if whatever it refers to were visible."""
    interaction, good = random.choice(GOOD)
    root = read_resource(hostile_json(random, good), good["resourceType"])
    row = find(interaction, root, random.choice(("psychology", "local-authority", None)))
    found = {named.target: posted.seen(named.target) for named in row.references(root)}
    updated = posted.seen(next(iter(found)), "REPORT_DRAFT") if found and interaction == "update" else None
    if interaction == "update" and updated is None:
        return
    row.command(root, posted.writer(), Found(found, posted.CASE, posted.INVITATION, updated, 1))


def searches(random: Random) -> None:
    """A type's search, from the address to its condition and to what the audit says of it."""
    kind = random.choice((*SERVED, "Potion"))
    names = [p.code for p in parameters(kind)] if kind in SERVED else ["x"]
    codes = [*names, "_count", "_total", "_summary", "_format", "_cursor", "_sort", text(random)]
    pairs = [(_name(random, codes), _search_value(random)) for _ in range(random.randrange(5))]
    describe(random.choice(("GET", "POST")), (kind, *random.choices(TEXTS, k=random.randrange(3))), pairs, FINGERPRINTS)
    if kind in SERVED:
        compile_search(read_search(kind, pairs, BASE))


def _name(random: Random, codes: list[str]) -> str:
    name = random.choice(codes)
    return name if random.random() < 0.8 else f"{name}:{random.choice(('exact', 'Patient', 'missing', text(random)))}"


def _search_value(random: Random) -> str:
    good = (
        "2026-03",
        "ge2026-03-01T10:00:00Z",
        "a|b",
        "|b",
        "a|",
        f"Patient/{posted.PATIENT}",
        f"{BASE}/Patient/1",
        "5",
    )
    chosen = [random.choice((*good, text(random), text(random))) for _ in range(random.choice((1, 1, 1, 2, 60)))]
    return random.choice(("", "ge", "lt", "eq", "xx")) * random.randrange(2) + ",".join(chosen)


def cursors(random: Random) -> None:
    """Page links: another's, changed, made up."""
    sealed = CURSORS.seal("nhs-psychology", {"of": "search", "path": ["Patient"], "pairs": [], "after": ["", "x"]})
    raw = base64.b64encode(random.randbytes(random.randrange(60))).decode()
    made = (sealed, broken(random, sealed.encode()).decode("latin-1"), text(random), raw)
    cursor = random.choice(made)
    client = random.choice(("nhs-psychology", "la-eastvale", ""))
    opened = CURSORS.open(client, cursor)
    assert (client, opened["of"]) == ("nhs-psychology", "search")


def provenance(random: Random) -> None:
    """The author in X-Provenance."""
    good = {
        "resourceType": "Provenance",
        "agent": [{"type": {"coding": [{"code": "author"}]}, "who": {"identifier": random.choice(AUTHORS)}}],
    }
    header = hostile_json(random, good).decode("latin-1")
    region = posted.region()
    asserted(header, random.choice(region.clients), region)


def headers(random: Random) -> None:
    """Idempotency-Key, Accept, Content-Type, traceparent."""
    said = random.choice((text(random), random.randbytes(12).decode("latin-1")))
    parse_traceparent(random.choice((said, f"00-{'a' * 32}-{'b' * 16}-01{said}")))
    match random.randrange(3):
        case 0:
            idempotency_key(said, client="c", route="r", if_match=None, body=b"")
        case 1:
            check_accept(said, [("_format", text(random))] * random.randrange(2))
        case _:
            check_form(said)


@cache
def _key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "k1"})


@cache
def _verifier() -> tuple[asyncio.AbstractEventLoop, TokenVerifier]:
    jwks = {"keys": [_key().as_dict(private=False)]}
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=jwks)))
    return asyncio.new_event_loop(), TokenVerifier(ISSUER, f"{ISSUER}/jwks", BASE, SystemClock(), http)


def tokens(random: Random) -> None:
    """Access tokens: rightly signed with other claims, another's signature, other headers, never JWTs."""
    loop, verifier = _verifier()
    loop.run_until_complete(verifier.verify(_token(random)))


def _token(random: Random) -> str:
    header = {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
    now = int(SystemClock().now().timestamp())
    claims = {"iss": ISSUER, "sub": "x", "aud": [BASE], "exp": now + 300, "iat": now, "azp": "x", "ecm_roles": []}
    for _ in range(random.randrange(3)):
        claims = bent(random, claims)
    payload = json.dumps(claims).encode("utf-8", "surrogatepass")
    good = jws.serialize_compact(header, payload, _key(), algorithms=["ES256"])
    _, body, signature = good.split(".")
    match random.randrange(6):
        case 0:
            return broken(random, good.encode()).decode("latin-1")
        case 1:
            return f"{_part(random, bent(random, header))}.{body}.{signature}"
        case 2:
            return random.choice((text(random), "..", "a.b.c", ".".join([_part(random, value(random))] * 3)))
        case _:
            return good


def _part(random: Random, content: Any) -> str:
    data = json.dumps(content).encode("utf-8", "surrogatepass")
    if random.randrange(4) == 0:
        data = broken(random, data)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@cache
def _region() -> tuple[bytes, Any]:
    content = REGION.read_bytes()
    return content, yaml.safe_load(content)


def regions(random: Random) -> None:
    """A region file."""
    content, document = _region()
    if random.randrange(2):
        content = json.dumps(bent(random, document), default=str).encode("utf-8", "surrogatepass")
    else:
        content = broken(random, content)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "region.yaml"
        file.write_bytes(content)
        load_region(file)


@dataclass
class _Message:
    """A message as aiokafka gives it."""

    headers: list[tuple[str, bytes]]
    key: bytes | None
    value: bytes | None
    topic: str = "t"
    partition: int = 0
    offset: int = 0


def events(random: Random) -> None:
    """The envelope of an event."""
    names = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_specversion", "traceparent", "x")
    sent = [(name, _header_value(random)) for name in names]
    key, content = random.choice((None, b"\xff")), random.choice((None, b"x"))
    decode(_Message(random.sample(sent, random.randrange(len(sent) + 1)), key, content))


def _header_value(random: Random) -> bytes:
    return random.choice((b"2026-01-01T00:00:00+00:00", random.randbytes(9), text(random).encode("utf-8", "replace")))


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (strict_json, writes, searches, cursors, provenance, headers, tokens, regions, events)
}
