"""Malformed requests at the running exchange: each a coded OperationOutcome, in the audit, and nothing stored."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest

from ecm.demo import fhir, material
from ecm.demo.journey import Journey
from ecm.demo.partner import FHIR_JSON, Partner
from ecm.demo.steps import consenting, referring
from ecm.local.stack import Stack
from rpc.stored import PROJECTED, count, nothing_stored

REASONS = "https://ecm-exchange.example/fhir/CodeSystem/ecm-error-reason"
MEBIBYTE = 1024 * 1024


@dataclass
class Asked:
    """The child's id for psychology, who asks."""

    partner: Partner
    stranger: Partner
    stack: Stack
    patient: str

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> httpx.Response:
        """One request with the psychology service's token."""
        sent = {"Authorization": f"Bearer {self.partner.token()}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.stack.addresses['fhir']}/{path}"
        return httpx.request(method, url, content=body, headers=sent, timeout=20, trust_env=False)

    def post(self, body: bytes, kind: str = "Observation", **headers: str) -> httpx.Response:
        """A write of these bytes, named author and all."""
        given = {"Content-Type": FHIR_JSON, "X-Provenance": fhir.provenance("psychologist-1")} | headers
        return self.send("POST", kind, body, **given)

    def map(self, **changes: Any) -> dict[str, Any]:
        """A good developmental map, but for the changes."""
        return fhir.developmental_map(self.patient) | changes


@pytest.fixture(scope="module")
def asked(region: Stack) -> Iterator[Asked]:
    """A child whom the psychology service sees."""
    journey = Journey.on(region)
    journey.subject = material.Subject("Oberon", "Tansywick", "9990000344", f"EV-{uuid.uuid4()}", journey.subject.born)
    referring.register(journey)
    referring.refer(journey)
    consenting.consent(journey)
    patient = journey.psychology.patient(journey.subject.identifier)
    assert patient is not None
    settle(region)
    yield Asked(journey.psychology, journey.local_authority, region, str(patient["id"]))
    journey.close()


def settle(stack: Stack) -> None:
    """Until the exchange has done what it was told before: from here on nothing but a test could store something."""
    before: dict[str, int] = {}
    while (now := count(stack, "exchange", PROJECTED)) != before or now["fetch_queue"]:
        before = now
        time.sleep(1.0)


@contextmanager
def refused_and_nothing_stored(stack: Stack, *also: str) -> Iterator[None]:
    """Neither the owner nor the exchange holds more afterwards; the audit has the request, which disclosed nothing.

    `also` are outcomes besides `refused`.
    """
    projected, audited = count(stack, "exchange", PROJECTED), count(stack, "exchange", ("audit",))["audit"]
    with nothing_stored(stack, "formulation"):
        yield
    assert count(stack, "exchange", PROJECTED) == projected
    rows = asyncio.run(_newest(stack, count(stack, "exchange", ("audit",))["audit"] - audited))
    assert rows and {row["outcome"] for row in rows} <= {"refused", *also}
    assert all(json.loads(row["disclosed"]) in ([], {}) and not row["child_ids"] for row in rows)


async def _newest(stack: Stack, rows: int) -> list[Any]:
    connection = await asyncpg.connect(stack.database_url("exchange", "owner"), ssl=False)
    try:
        return list(await connection.fetch("SELECT * FROM audit ORDER BY at DESC, n DESC LIMIT $1", rows))
    finally:
        await connection.close()


def nothing_written(stack: Stack) -> AbstractContextManager[None]:
    """The same around a write, which is noted before its body is read: as `nothing`."""
    return refused_and_nothing_stored(stack, "nothing")


def check(answer: httpx.Response, status: int, reason: str, words: str, at: str = "") -> None:
    """The answer is an OperationOutcome with the reason's code, clear words, and the element at fault."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith(FHIR_JSON)
    (issue,) = answer.json()["issue"]
    assert issue["details"]["coding"] == [{"system": REASONS, "code": reason}]
    assert issue["severity"] == "error"
    assert words in issue["details"]["text"]
    assert issue.get("expression", [""]) == [at]


@dataclass(frozen=True)
class Bad:
    """A request that can't be served, and how it is refused."""

    query: str
    reason: str
    words: str
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=dict)


LARGE = "9" * 5_000
STRICT = {"Prefer": "handling=strict"}
QUERIES = [
    Bad("Potion", "NOT_SUPPORTED", "no such resource type", 404),
    Bad("Patient/1/name", "NOT_SUPPORTED", "no such address", 404),
    Bad("Observation?colour=red", "NOT_SUPPORTED", "colour", headers=STRICT),
    Bad("Observation?code:text=ace", "NOT_SUPPORTED", "code takes no modifier"),
    Bad("Observation?_id:exact=1", "NOT_SUPPORTED", "_id takes no modifier"),
    Bad("Observation?patient:Potion=1", "NOT_SUPPORTED", "patient takes no modifier"),
    Bad("Observation?date=yesterday", "NOT_SUPPORTED", "date takes the prefixes"),
    Bad("Observation?date=ap2026", "NOT_SUPPORTED", "date takes the prefixes eq"),
    Bad("Observation?date=2026-13-01", "INVALID_VALUE", "date isn't a date"),
    Bad("Observation?date=ge2026-02-30", "INVALID_VALUE", "date isn't a date, e.g."),
    Bad("Observation?date=2026-1-1", "INVALID_VALUE", "date isn't a date"),
    Bad("Observation?date=0000", "INVALID_VALUE", "date isn't a date"),
    Bad("Observation?date=2026-01-01T99:00Z", "INVALID_VALUE", "date isn't a date"),
    Bad("Observation?_lastUpdated=gt", "INVALID_VALUE", "_lastUpdated isn't a date"),
    Bad("Observation?status=", "INVALID_VALUE", "status has an empty value"),
    Bad("Observation?code=a,,b", "INVALID_VALUE", "code has an empty value"),
    Bad("Patient?identifier=a%00b", "INVALID_VALUE", "identifier holds a control character"),
    Bad("Observation?patient=%00", "INVALID_VALUE", "patient holds a control character"),
    Bad(f"Observation?code={'a,' * 50}a", "TOO_LARGE", "At most 50 alternatives", 413),
    Bad(
        f"Observation?{'&'.join(f'date={year}' for year in range(1900, 1999))}&code=a,b",
        "TOO_LARGE",
        "At most 100 ",
        413,
    ),
    Bad(f"Observation?{'status=final&' * 101}", "TOO_LARGE", "At most 100 parameters", 413),
    *(Bad(f"Observation?_count={bad}", "INVALID_VALUE", "_count is a whole number") for bad in ("-1", "ten", "1.5")),
    *(Bad(f"Observation?_count={bad}", "INVALID_VALUE", "_count is a whole number") for bad in ("", "٣", LARGE)),
    Bad("Observation?_total=roughly", "INVALID_VALUE", "_total is none, estimate or accurate"),
    Bad("Observation?_summary=text", "NOT_SUPPORTED", "_summary is served as"),
    Bad("Observation?_cursor=nonsense", "CURSOR_INVALID", "search again"),
    Bad("Observation?_cursor=", "CURSOR_INVALID", "search again"),
    Bad("Observation?_cursor=%C3%A9%00", "CURSOR_INVALID", "search again"),
    Bad("Observation?_format=xml", "FORMAT_NOT_SUPPORTED", "application/fhir+json", 406),
    Bad("Observation", "FORMAT_NOT_SUPPORTED", "Only FHIR JSON", 406, {"Accept": "application/fhir+xml"}),
    Bad("Observation", "FORMAT_NOT_SUPPORTED", "Only FHIR JSON", 406, {"Accept": "text/turtle;q=1"}),
]


@pytest.mark.parametrize("bad", QUERIES, ids=lambda bad: bad.query[:60])
def test_a_query_that_cant_be_served(asked: Asked, bad: Bad) -> None:
    with refused_and_nothing_stored(asked.stack):
        answer = asked.send("GET", bad.query, **bad.headers)
    check(answer, bad.status, bad.reason, bad.words)


@pytest.mark.parametrize("bad", [bad for bad in QUERIES if bad.query.startswith("Observation?") and not bad.headers])
def test_the_same_by_post(asked: Asked, bad: Bad) -> None:
    form = bad.query.removeprefix("Observation?").encode()
    with refused_and_nothing_stored(asked.stack):
        answer = asked.send("POST", "Observation/_search", form, Content_Type="application/x-www-form-urlencoded")
    code = answer.json()["issue"][0]["details"]["coding"][0]["code"]
    # Of too many fields the form itself can't be read.
    assert (answer.status_code, code) in {(bad.status, bad.reason), (400, "INVALID_VALUE")}


def test_a_form_that_isnt_one_or_is_too_large(asked: Asked) -> None:
    with refused_and_nothing_stored(asked.stack):
        answer = asked.send("POST", "Patient/_search", b"{}", Content_Type="application/json")
    check(answer, 415, "FORMAT_NOT_SUPPORTED", "application/x-www-form-urlencoded")
    with refused_and_nothing_stored(asked.stack):
        large = b"identifier=" + b"x" * 70_000
        answer = asked.send("POST", "Patient/_search", large, Content_Type="application/x-www-form-urlencoded")
    check(answer, 413, "TOO_LARGE", "64 KiB")


def test_an_unknown_parameter_is_reported_unless_strict(asked: Asked) -> None:
    answer = asked.send("GET", f"Observation?patient={asked.patient}&colour=red&_count=1")
    assert answer.status_code == 200
    bundle = answer.json()
    assert "colour" not in bundle["link"][0]["url"], "the self link says what was served"
    issues = bundle["entry"][-1]["resource"]["issue"]
    (warning,) = (issue for issue in issues if issue["severity"] == "warning")
    assert warning["details"]["coding"] == [{"system": REASONS, "code": "NOT_SUPPORTED"}]
    assert "colour" in warning["details"]["text"]


def test_a_cursor_is_its_clients_and_its_searchs(asked: Asked) -> None:
    first = asked.partner.get("Observation", patient=asked.patient, _count="1").json()
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    cursor = following.partition("_cursor=")[2]
    assert asked.partner.get(following).status_code == 200
    with refused_and_nothing_stored(asked.stack):
        check(asked.stranger.get(following), 400, "CURSOR_INVALID", "isn't one of yours")
    with refused_and_nothing_stored(asked.stack):
        check(asked.send("GET", f"Task?_cursor={cursor}"), 400, "CURSOR_INVALID", "another search")
    for damaged in (cursor[:-2], cursor + "AA", cursor[4:], cursor.swapcase()):
        with refused_and_nothing_stored(asked.stack):
            check(asked.send("GET", f"Observation?_cursor={damaged}"), 400, "CURSOR_INVALID", "search again")


def test_a_method_that_isnt_served(asked: Asked) -> None:
    for method in ("DELETE", "PATCH"):
        with refused_and_nothing_stored(asked.stack):
            answer = asked.send(method, f"Patient/{asked.patient}")
        check(answer, 405, "NOT_SUPPORTED", "GET")
        assert "GET" in answer.headers["allow"]


def nested(depth: int) -> bytes:
    """Arrays in arrays."""
    return b'{"resourceType":"Observation","code":' + b"[" * depth + b"]" * depth + b"}"


START = b'{"resourceType":"Observation"'
BODIES: list[tuple[bytes, str]] = [
    (b"", "isn't JSON"),
    (START, "isn't JSON: line 1, column"),
    (START + b",}", "isn't JSON"),
    (b'"Observation"', "is a JSON object"),
    (b"[]", "is a JSON object"),
    (b"\xff\xfe{}", "UTF-8"),
    (START + b',"status":"final","status":"amended"}', "'status' stands there twice"),
    (START + b',"valueQuantity":{"value":1,"value":2}}', "'value' stands there twice"),
    (nested(33), "nested deeper than 32"),
    (nested(100_000), "nested deeper than 32"),
    (START + b',"component":[' + b"{}," * 20_001 + b"{}]}", "more than 20000"),
    (START + b',"valueQuantity":{"value":NaN}}', "NaN"),
    (START + b',"valueQuantity":{"value":-Infinity}}', "Infinity"),
    (START + b',"valueInteger":' + b"9" * 5_000 + b"}", "number is longer"),
]
PLACED: list[tuple[bytes, str, str]] = [
    (START + b',"status":null}', "null", "Observation.status"),
    (START + b',"status":""}', "empty string", "Observation.status"),
    (START + b',"component":[]}', "empty array", "Observation.component"),
    (START + b',"code":{}}', "empty object", "Observation.code"),
    (START + b',"status":"\\u0000"}', "control character", "Observation.status"),
    (START + b',"status":"\\ud800"}', "surrogate", "Observation.status"),
]


@pytest.mark.parametrize(("body", "words", "at"), [*((body, words, "") for body, words in BODIES), *PLACED])
def test_a_body_that_isnt_json_as_fhir_has_it(asked: Asked, body: bytes, words: str, at: str) -> None:
    with nothing_written(asked.stack):
        answer = asked.post(body)
    check(answer, 400, "MALFORMED_JSON", words, at)


@pytest.mark.parametrize("declared", [True, False], ids=["content-length", "chunked"])
def test_an_oversized_body(asked: Asked, declared: bool) -> None:
    body = START + b',"note":[{"text":"' + b"x" * (12 * MEBIBYTE) + b'"}]}'
    with nothing_written(asked.stack):
        answer = asked.post(body) if declared else asked.post(chunks(body))  # type: ignore[arg-type]
    check(answer, 413, "TOO_LARGE", "12 MiB")


def chunks(body: bytes) -> Iterator[bytes]:
    """The body in pieces, its length not said."""
    yield from (body[start : start + MEBIBYTE] for start in range(0, len(body), MEBIBYTE))


@pytest.mark.parametrize("media", ["text/plain", "application/fhir+xml", "application/json; charset=latin-1", ""])
def test_a_content_type_that_isnt_taken(asked: Asked, media: str) -> None:
    with nothing_written(asked.stack):
        answer = asked.post(json.dumps(asked.map()).encode(), **{"Content-Type": media})
    check(answer, 415, "FORMAT_NOT_SUPPORTED", "application/fhir+json")


def concept(code: str) -> dict[str, Any]:
    """A code of nobody's system."""
    return {"coding": [{"system": "https://nobody.invalid", "code": code}]}


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"resourceType": "Task"}, "resourceType"),
        ({"status": "finished"}, "Observation.status"),
        ({"status": 7}, "Observation.status"),
        ({"colour": "red"}, "Observation.colour"),
        ({"code": concept("unknown")}, "Observation"),
        ({"effectiveDateTime": "2026-02-30"}, "Observation.effectiveDateTime"),
        ({"effectiveDateTime": "soon"}, "Observation.effectiveDateTime"),
        ({"component": [{"code": concept("unknown")}]}, "Observation.component[0]"),
        ({"modifierExtension": [{"url": "https://nobody.invalid", "valueBoolean": True}]}, "Observation.modifierExt"),
        ({"subject": {"reference": "Potion/1"}}, "Observation.subject"),
        ({"text": {"status": "additional", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"}}, "Obser"),
    ],
)
def test_a_resource_that_breaks_a_rule(asked: Asked, changes: dict[str, Any], at: str) -> None:
    with nothing_written(asked.stack):
        answer = asked.post(json.dumps(asked.map(**changes)).encode())
    assert answer.status_code == 422, answer.text
    (issue,) = answer.json()["issue"]
    assert issue["details"]["coding"][0]["code"] == "INVARIANT"
    assert issue["expression"][0].startswith(at)


@pytest.mark.parametrize("name", ["status", "code", "subject"])
def test_a_resource_that_lacks_something(asked: Asked, name: str) -> None:
    body = asked.map()
    del body[name]
    with nothing_written(asked.stack):
        answer = asked.post(json.dumps(body).encode())
    assert (answer.status_code, answer.json()["issue"][0]["details"]["coding"][0]["code"]) == (422, "INVARIANT")


def test_headers_that_arent_what_they_should_be(asked: Asked) -> None:
    good = json.dumps(asked.map()).encode()
    unknown = json.dumps({"resourceType": "Provenance", "agent": [{"who": {"reference": "Practitioner/nobody"}}]})
    cases = [
        ({"X-Provenance": ""}, 422, "AUTHOR_REQUIRED", "names its author"),
        ({"X-Provenance": unknown}, 422, "AUTHOR_REQUIRED", "may assert"),
        ({"X-Provenance": "{"}, 400, "MALFORMED_JSON", "isn't JSON"),
        ({"X-Provenance": "x" * 9_000}, 413, "TOO_LARGE", "8 KiB"),
        ({"Idempotency-Key": "short"}, 400, "IDEMPOTENCY_KEY_MISSING", "8 to 128"),
        ({"If-None-Exist": "identifier=1"}, 400, "NOT_SUPPORTED", "Idempotency-Key"),
    ]
    for headers, status, reason, words in cases:
        with nothing_written(asked.stack):
            answer = asked.post(good, **headers)
        check(answer, status, reason, words)


def test_a_type_that_isnt_written(asked: Asked) -> None:
    with nothing_written(asked.stack):
        answer = asked.post(b'{"resourceType":"Patient"}', "Patient")
    check(answer, 403, "PERMISSION_DENIED", "Patient")


def test_no_words_repeat_what_was_sent(asked: Asked) -> None:
    for answer in (
        asked.send("GET", "Patient?identifier:exact=Zebedee"),
        asked.send("GET", "Observation?date=Zebedee"),
        asked.post(b'{"resourceType":"Observation","status":"Zebedee","status":"Zebedee"}'),
        asked.post(json.dumps(asked.map(status="Zebedee")).encode()),
    ):
        assert answer.status_code in {400, 422}
        assert "Zebedee" not in answer.text


def test_the_good_ones_are_taken(asked: Asked) -> None:
    """What the refusals above are held against."""
    assert asked.send("GET", f"Observation?patient={asked.patient}&date=ge2020&_count=1").status_code == 200
    with pytest.raises(AssertionError), nothing_stored(asked.stack, "formulation"):
        answer = asked.post(json.dumps(asked.map()).encode())
        assert answer.status_code == 201, answer.text
