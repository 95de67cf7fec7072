"""Denied, left one's view, withdrawn and never existed take alike long: they cost the database the same, and whatever
says nothing leaves at a beat.

Not measured in time, but in what the statement does: which tables and indexes it scans, how often, in the very call.
(`make attack` measures the time, too.)
"""

import time
from uuid import UUID, uuid4

import orjson
import pytest

from ecm.exchange.disclosure.asks import Ask, Inquiry
from exchange.outbound.world import BEAT_SECONDS, COUNCIL, PSYCHOLOGY, Server, World

SCANS = """
    SELECT relname, seq_scan, coalesce(idx_scan, 0) AS idx_scan, n_tup_ins FROM pg_stat_xact_user_tables
     WHERE seq_scan + coalesce(idx_scan, 0) + n_tup_ins > 0"""
# As the writers have it: planned for any values, not for these.
GENERIC = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_bitmapscan = off"
LATE = "line"
DISCLOSE = "SELECT * FROM disclose($1, $2, $3, $4)"
READ = Inquiry("read", "GET Patient/[id]", (b"m" * 32,))

Counts = tuple[int, int, int]
Work = dict[str, Counts]


async def work(world: World, ask: Ask) -> Work:
    """By table: scans, scans of indexes, rows written. The call is undone."""
    transaction = world.sql.transaction()
    await transaction.start()
    try:
        await world.sql.execute(GENERIC)
        before = await _scans(world)
        documents = orjson.dumps([ask.document(PSYCHOLOGY, None, "t")]).decode()
        rows = await world.sql.fetch(DISCLOSE, PSYCHOLOGY, uuid4(), 1, documents)
        assert [row["outcome"] for row in rows] == ["nothing"]
        after = await _scans(world)
    finally:
        await transaction.rollback()
    none = (0, 0, 0)
    return {name: _less(counts, before.get(name, none)) for name, counts in after.items()}


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
    lines = [counts.pop(LATE, (0, 0, 0)) for counts in done.values()]
    assert max(scans + by_index for scans, by_index, _ in lines) <= 1
    expected = done["never existed"]
    assert expected["grants"][0] + expected["grants"][1] > 0, "grants are looked for, whether or not there is such"
    assert expected["audit"][2] == 1
    assert done == dict.fromkeys(kinds, expected)


@pytest.fixture
def beats(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each answer had taken that was kept for a beat."""
    kept: list[float] = []
    after = server.beats.after

    async def noting(since: float) -> None:
        kept.append(time.monotonic() - since)
        await after(since)

    monkeypatch.setattr(server.beats, "after", noting)
    return kept


@pytest.mark.parametrize(
    "path",
    [
        "Patient/{id}",
        "Patient/{id}/_history/1",
        "Patient/{id}/$everything",
        "Patient/{id}/$everything?_type=Observation",
        "Patient/nobody",
        "Patient?_id={id}",
        "Patient?_id={id}&_summary=count",
        "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|{id}",
        "Observation?patient={id}",
        "Observation?patient={seen},{id}",
        "Patient?_id={id},{seen}",
        "events/{id}",
        "Nothing/{id}",
        "Patient?name:contains={id}",
    ],
)
async def test_what_may_have_missed_something_leaves_at_a_beat(
    world: World, server: Server, beats: list[float], path: str
) -> None:
    """One of several that are asked for by name, too: those that are there would tell of the other by their time."""
    child = uuid4()
    seen = await world.patient(child)
    await world.observation(child, seen)
    await world.grant(child, PSYCHOLOGY, "referral")
    await world.grant(child, PSYCHOLOGY, patient=True)
    began = time.monotonic()
    await server.get(path.format(id=uuid4(), seen=seen), prefer="handling=strict")
    assert time.monotonic() - began >= BEAT_SECONDS
    assert len(beats) == 1


async def test_what_is_found_leaves_at_once(world: World, server: Server, beats: list[float]) -> None:
    child = uuid4()
    patient = await world.patient(child)
    await world.observation(child, patient)
    await world.grant(child, PSYCHOLOGY, "referral")
    await world.grant(child, PSYCHOLOGY, patient=True)
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
    assert not beats
