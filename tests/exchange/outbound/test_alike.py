"""Denied, left one's view, withdrawn and never existed cost the database the same: that is why they take alike long.

Not measured in time, but in what the statement does: which tables and indexes it scans, how often, in the very call.
(`make attack` measures the time, too.)
"""

from uuid import UUID, uuid4

import orjson
import pytest

from ecm.exchange.disclosure.asks import Ask, Inquiry
from exchange.outbound.world import COUNCIL, PSYCHOLOGY, World

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
