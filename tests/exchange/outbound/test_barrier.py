"""The barrier: whoever waits for a narrowing reads what it left.

The same test is seen to fail when the lock and the read become one SQL statement.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from ecm.exchange.disclosure.disclose_sql import agency_lock, disclose_function
from exchange.outbound.world import PSYCHOLOGY, Server, World, connect, link, matches

LOCK = f"SELECT pg_advisory_xact_lock({agency_lock('$1::text')})"


@pytest_asyncio.fixture
async def narrowing(urls: dict[str, str]) -> AsyncIterator[Any]:
    """A session that narrows, as ApplyGrants does."""
    sql = await connect(urls["owner"])
    yield sql
    await sql.close()


async def _waits(world: World) -> None:
    """Until somebody waits for an advisory lock."""
    query = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    async with asyncio.timeout(5):
        while not await world.sql.fetchval(query):  # noqa: ASYNC110 - another process waits
            await asyncio.sleep(0.01)


async def _ready(world: World) -> tuple[UUID, UUID, UUID]:
    child = uuid4()
    await world.grant(child, PSYCHOLOGY, "referral", version=1)
    await world.grant(child, PSYCHOLOGY, patient=True, version=1)
    patient = await world.patient(child)
    return child, patient, await world.observation(child, patient)


@pytest.mark.parametrize("path", ["Observation/{o}", "Observation?patient={p}", "Patient/{p}/$everything", "page"])
async def test_a_reader_behind_the_narrowing_reads_the_new_grants(
    world: World, server: Server, narrowing: Any, path: str
) -> None:
    child, patient, observation = await _ready(world)
    await world.observation(child, patient)
    if path == "page":
        path = link(await server.get(f"Observation?patient={patient}&_count=1"), "next") or ""
    asked = path.format(p=patient, o=observation)
    assert (await server.get(asked)).status_code == 200
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        reader = asyncio.create_task(server.get(asked))
        await _waits(world)
        await narrowing.execute("DELETE FROM grants WHERE child_id = $1", child)
        await narrowing.execute("UPDATE grant_set SET version = 2 WHERE child_id = $1", child)
    answer = await reader
    assert answer.status_code == 404 or matches(answer) == []
    assert str(observation) not in answer.text
    newest = (await world.audit())[0]
    assert (newest["outcome"], newest["disclosed"]) == ("nothing", "[]")


async def test_another_agency_does_not_wait(world: World, server: Server, narrowing: Any) -> None:
    async with narrowing.transaction():
        await narrowing.execute(LOCK, "some-other-agency")
        async with asyncio.timeout(2):
            assert (await server.get(f"Patient/{uuid4()}")).status_code == 404


async def test_expiry_is_read_after_the_wait(world: World, server: Server, narrowing: Any) -> None:
    _, _, observation = await _ready(world)
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        await world.sql.execute("UPDATE grants SET valid_until = clock_timestamp() + interval '300 ms'")
        reader = asyncio.create_task(server.get(f"Observation/{observation}"))
        await _waits(world)
        await asyncio.sleep(0.35)
    assert (await reader).status_code == 404


def _in_one_statement(name: str) -> str:
    """A variant whose lock stands in the statement that reads, as somebody might write it."""
    text = disclose_function(name)
    # The lock moves from its own statement into the read's WHERE, before the predicate.
    text = re.sub(r"PERFORM pg_advisory_xact_lock_shared\([^;]*;", "", text, count=1)
    locked = f"(SELECT pg_advisory_xact_lock_shared({agency_lock('p_agency')})) IS NOT NULL AND r.type = a.type"
    return text.replace("r.type = a.type", locked, 1)


@pytest.mark.parametrize(("one_statement", "expected"), [(False, "nothing"), (True, "disclosed")])
async def test_the_barrier_fails_when_lock_and_read_are_one_statement(
    world: World, urls: dict[str, str], narrowing: Any, one_statement: bool, expected: str
) -> None:
    child, _, observation = await _ready(world)
    await world.sql.execute(_in_one_statement("disclose_naive"))
    name = "disclose_naive" if one_statement else "disclose"
    asks = [{"client": PSYCHOLOGY, "kind": "read", "interaction": "read", "shape": "", "asked": [], "trace": ""}]
    asks[0] |= {"type": "Observation", "id": str(observation)}
    reading = await connect(urls["owner"])
    try:
        async with narrowing.transaction():
            await narrowing.execute(LOCK, PSYCHOLOGY)
            call = reading.fetch(f"SELECT outcome FROM {name}($1, $2, 1, $3)", PSYCHOLOGY, uuid4(), json.dumps(asks))
            reader = asyncio.create_task(call)
            await _waits(world)
            await narrowing.execute("DELETE FROM grants WHERE child_id = $1", child)
        assert [row["outcome"] for row in await reader] == [expected]
    finally:
        await world.sql.execute("DROP FUNCTION disclose_naive(text, uuid, bigint, jsonb)")
        await reading.close()


async def test_reads_beside_gives_and_withdrawals_find_no_breach(world: World, server: Server, narrowing: Any) -> None:
    """No answer to a request sent after E, and no audit row at the narrowing's version."""
    child, _, observation = await _ready(world)
    line, closed, stop, breaches = world.lines[PSYCHOLOGY, "referral"], asyncio.Event(), asyncio.Event(), []

    async def read() -> None:
        while not stop.is_set():
            was_closed = closed.is_set()
            answer = await server.get(f"Observation/{observation}")
            # Closed when it was sent, and since: nothing may have come.
            if was_closed and closed.is_set() and answer.status_code == 200 and epoch == len(withdrawn):
                breaches.append(answer)

    withdrawn: list[int] = []
    epoch = 0
    readers = [asyncio.create_task(read()) for _ in range(6)]
    for version in range(2, 42, 2):
        async with narrowing.transaction():
            await narrowing.execute(LOCK, PSYCHOLOGY)
            await narrowing.execute("DELETE FROM grants WHERE child_id = $1", child)
            await narrowing.execute("UPDATE grant_set SET version = $2 WHERE child_id = $1", child, version)
        withdrawn.append(version)
        epoch = len(withdrawn)
        closed.set()
        await asyncio.sleep(0.02)
        closed.clear()
        async with world.sql.transaction():
            await world.grant(child, PSYCHOLOGY, "referral", line=line, version=version + 1)
        await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*readers)
    assert breaches == []
    rows = [row for row in await world.audit() if row["outcome"] == "disclosed"]
    assert len(rows) > 20
    assert {row["grants_version"] for row in rows} & set(withdrawn) == set()
