"""Denied, left one's view, withdrawn and never existed take alike long: they cost the database the same, and whatever
says nothing leaves at a beat.

Not measured in time, but in what the statement does: which tables and indexes it scans, how often, in the very call.
(`make attack` measures the time, too.)
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from ecm.exchange.api.limits import Seat
from ecm.exchange.disclosure.asks import Ask, Inquiry
from ecm.exchange.search.compile import compile_search
from ecm.exchange.search.query import read_search
from exchange.outbound.world import BASE, COUNCIL, PSYCHOLOGY, Server, World, link

SCANS = """
    SELECT relname, seq_scan, coalesce(idx_scan, 0) AS idx_scan, n_tup_ins FROM pg_stat_xact_user_tables
     WHERE seq_scan + coalesce(idx_scan, 0) + n_tup_ins > 0"""
# As the writers have it: planned for any values, not for these.
GENERIC = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_bitmapscan = off"
# As in a database that holds much.
BY_INDEX = "; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
LATE = "line"
DISCLOSE = "SELECT * FROM disclose($1, $2, $3, $4)"
SEARCH = Inquiry("search", "GET Observation", (b"m" * 32,))
LOOKED_AT = {"search_date", "search_token"}
READ = Inquiry("read", "GET Patient/[id]", (b"m" * 32,))

Counts = tuple[int, int, int]
NONE: Counts = (0, 0, 0)
Work = dict[str, Counts]


async def work(world: World, ask: Ask, settings: str = "") -> Work:
    """By table: scans, scans of indexes, rows written. The call is undone."""
    transaction = world.sql.transaction()
    await transaction.start()
    try:
        await world.sql.execute(GENERIC + settings)
        before = await _scans(world)
        documents = orjson.dumps([ask.document(PSYCHOLOGY, None, "t")]).decode()
        rows = await world.sql.fetch(DISCLOSE, PSYCHOLOGY, uuid4(), 1, documents)
        assert [row["outcome"] for row in rows] == ["nothing"]
        after = await _scans(world)
    finally:
        await transaction.rollback()
    done = {name: _less(counts, before.get(name, NONE)) for name, counts in after.items()}
    return {name: counts for name, counts in done.items() if any(counts)}


def _less(after: Counts, before: Counts) -> Counts:
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


async def _scans(world: World) -> Work:
    rows = await world.sql.fetch(SCANS)
    return {row["relname"]: (row["seq_scan"], row["idx_scan"], row["n_tup_ins"]) for row in rows}


@pytest.fixture
async def kinds(world: World) -> dict[str, UUID]:
    """Patients that psychology can't see, each for a reason of its own; and one whom it can, so that grants exist."""
    denied, hidden, gone, seen, ended = (uuid4() for _ in range(5))
    made = {"never existed": uuid4(), "denied": await world.patient(denied), "hidden": await world.patient(hidden)}
    await world.grant(denied, COUNCIL, patient=True)
    await world.grant(hidden, PSYCHOLOGY, patient=True)
    await world.sql.execute("UPDATE resource SET hidden = true WHERE child_id = $1", hidden)
    made["withdrawn"] = await world.patient(gone)
    made["left its view"] = await world.resource(ended, "Patient", categories=(), views=(3,))
    await world.grant(ended, PSYCHOLOGY, patient=True, view=2)
    await world.patient(seen)
    await world.grant(seen, PSYCHOLOGY, patient=True)
    await world.sql.execute("ANALYZE")
    return made


async def test_a_read_costs_the_same(world: World, kinds: dict[str, UUID]) -> None:
    """But for one look at the lines in force, where there is a grant on the child that doesn't open this (LATE)."""
    await work(world, Ask(READ, "read", "Patient", uuid4()))
    done = {kind: await work(world, Ask(READ, "read", "Patient", identity)) for kind, identity in kinds.items()}
    lines = [counts.pop(LATE, NONE) for counts in done.values()]
    assert max(scans + by_index for scans, by_index, _ in lines) <= 1
    expected = done["never existed"]
    assert expected["grants"][0] + expected["grants"][1] > 0, "grants are looked for, whether or not there is such"
    assert expected["audit"][2] == 1
    assert done == dict.fromkeys(kinds, expected)


async def test_what_else_is_wanted_is_looked_at_only_of_what_may_be_seen(world: World) -> None:
    """Else whoever asks says what a record costs that they mayn't see, and how long the answer takes by it."""
    wanted = [("date", "ge1900"), ("_lastUpdated", "ge1900"), ("category", "none"), ("code", "other")]
    kinds = {"never existed": uuid4()}
    for kind, granted in {"denied": (), "denied this": ("health",), "seen": ("referral",)}.items():
        child = uuid4()
        kinds[kind] = await world.patient(child)
        await world.observation(child, kinds[kind])
        for category in granted:
            await world.grant(child, PSYCHOLOGY, category)
    await world.sql.execute("ANALYZE")
    done = {}
    for kind, identity in kinds.items():
        search = read_search("Observation", [("patient", str(identity)), *wanted], BASE)
        ask = Ask.search(SEARCH, compile_search(search))
        done[kind] = (await work(world, ask)).keys() & LOOKED_AT
    assert done == {"never existed": set(), "denied": set(), "denied this": set(), "seen": LOOKED_AT}


@pytest.mark.parametrize(
    "asked", ["patient=Patient/{}", "subject=Patient/{}&date=ge1900", "subject={}", "patient={},{}"]
)
async def test_what_refers_to_a_child_without_a_grant_is_not_looked_for(world: World, asked: str) -> None:
    """However much it is: nothing is read of it, but that there is no grant."""
    child = uuid4()
    kinds = {"never existed": uuid4(), "denied": await world.patient(child)}
    for _ in range(10):
        await world.observation(child, kinds["denied"])
    await world.grant(child, COUNCIL, "referral")
    await world.sql.execute("ANALYZE")
    done = {}
    for kind, identity in kinds.items():
        pairs = [tuple(pair.split("=")) for pair in asked.format(identity, uuid4()).split("&")]
        ask = Ask.search(SEARCH, compile_search(read_search("Observation", pairs, BASE)))  # type: ignore[arg-type]
        done[kind] = await work(world, ask, BY_INDEX)
    # One look at the grants for one at what refers to it.
    looked = {kind: sum(done[kind].pop(name, NONE)[1] for name in ("grants", "search_reference")) for kind in kinds}
    assert looked["denied"] <= looked["never existed"] + 1
    assert done["denied"] == done["never existed"]


@dataclass
class Kept:
    """From when the answers' beats were counted; `meanwhile` is done while one is kept."""

    since: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None


@pytest.fixture
def kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept, after = Kept(), server.beats.after

    async def noting(since: float) -> None:
        kept.since.append(since)
        await after(since)
        kept.meanwhile()

    monkeypatch.setattr(server.beats, "after", noting)
    return kept


async def _seen(world: World) -> UUID:
    """A Patient that psychology sees, with an Observation."""
    child = uuid4()
    seen = await world.patient(child)
    await world.observation(child, seen)
    await world.grant(child, PSYCHOLOGY, "referral")
    await world.grant(child, PSYCHOLOGY, patient=True)
    return seen


@pytest.mark.parametrize(
    "asked",
    [
        "GET Patient/{id}",
        "HEAD Patient/{id}",
        "GET Patient/{id}/_history/1",
        "GET Patient/{denied}/_history/1",
        "GET Patient/{id}/$everything",
        "GET Patient/{id}/$everything?_type=Observation",
        "GET Patient/nobody",
        "GET Patient?_id={id}",
        "GET Patient?_id={id}&_summary=count",
        "GET Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|{id}",
        "GET Observation?patient={denied}",
        "GET Observation?patient={seen},{denied}",
        "GET Patient?_id={denied},{seen}",
        "GET Patient?_id={denied}%2C{seen}&_count=1",
        "GET events/{id}",
        "GET Nothing/{id}",
        "GET Patient?name:contains={id}",
        "POST Patient/_search _id={denied},{seen}",
        "POST Patient/_search _id={id}",
        "POST Patient {{}}",
        "PUT Patient/{denied} {{}}",
    ],
)
async def test_what_may_have_missed_something_leaves_at_a_beat(
    world: World, server: Server, kept: Kept, asked: str
) -> None:
    """One of several that are asked for by name, too: those that are there would tell of the other by their time."""
    seen, denied = await _seen(world), await world.patient(uuid4())
    method, path, *body = asked.format(id=uuid4(), seen=seen, denied=denied).split(" ", maxsplit=2)
    kind = "application/x-www-form-urlencoded" if path.endswith("_search") else "application/fhir+json"
    content = body[0].encode() if body else None
    began = time.monotonic()
    await server.ask(method, path, content=content, prefer="handling=strict", content_type=kind)
    assert [began < since < time.monotonic() for since in kept.since] == [True]


async def test_a_later_page_of_several_leaves_at_a_beat(world: World, server: Server, kept: Kept) -> None:
    named = [await _seen(world) for _ in range(2)]
    first = await server.get(f"Patient?_id={named[0]},{named[1]},{uuid4()}&_count=1")
    assert (await server.get(str(link(first, "next")))).status_code == 200
    assert len(kept.since) == 2


async def test_who_is_blocked_is_refused_at_a_beat(world: World, server: Server, kept: Kept) -> None:
    await world.client(PSYCHOLOGY, blocked=True)
    for path in ("Patient/nobody", "Nothing/nobody", "Patient?name="):
        assert (await server.get(path)).status_code == 403
    assert len(kept.since) == 3


async def test_what_is_found_leaves_at_once(world: World, server: Server, kept: Kept) -> None:
    patient = await _seen(world)
    for path in (
        f"Patient/{patient}",
        f"Patient/{patient}/$everything",
        f"Patient?_id={patient}",
        f"Observation?patient={patient}",
        f"Observation?patient={patient}&code=ace-1,ace-2",
    ):
        answer = await server.get(path)
        assert answer.status_code == 200
        assert answer.json().get("total") != 0, path
    assert not kept.since


async def test_beats_are_counted_from_the_bodys_end(server: Server, kept: Kept) -> None:
    """Else a client could keep the body back until a beat is near, and see on which side of it the work ends."""
    came = 0.0

    async def receive() -> dict[str, Any]:
        nonlocal came
        await asyncio.sleep(0.02)
        came = time.monotonic()
        return {"type": "http.request", "body": f"_id={uuid4()}".encode(), "more_body": False}

    async def send(_: Any) -> None: ...

    scope = server.scope("Patient/_search") | {"method": "POST"}
    scope["headers"].append((b"content-type", b"application/x-www-form-urlencoded"))
    await server.application(scope, receive, send)
    assert [since >= came > 0 for since in kept.since] == [True]


async def test_beats_are_counted_from_when_a_place_was_had(
    server: Server, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    seated = 0.0

    async def take(_: Seat, __: str) -> None:
        nonlocal seated
        await asyncio.sleep(0.02)
        seated = time.monotonic()

    monkeypatch.setattr(Seat, "take", take)
    await server.get(f"Patient/{uuid4()}")
    assert [since >= seated > 0 for since in kept.since] == [True]


async def test_what_was_kept_leaves_only_under_a_lease(world: World, server: Server, kept: Kept) -> None:
    """A process may stand still while it keeps an answer: by then something narrower may be in force."""
    path = f"Patient?_id={await _seen(world)},{uuid4()}"
    assert (await server.get(path)).json()["total"] == 1
    kept.meanwhile = lambda: setattr(server.lease, "held", False)
    answer = await server.get(path)
    assert (answer.status_code, "Patient" in answer.text) == (503, False)
