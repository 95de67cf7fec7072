"""A page is bounded in bytes: it ends early, and the next one goes on."""

import json
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from ecm.exchange.disclosure.finding import MOST_BYTES
from exchange.outbound.world import BASE, PSYCHOLOGY, Server, World, link, matches

FRAME = 65_536
"""What a page has beside its resources, at most."""
SEARCHES = (
    "Observation?patient={p}",
    "Observation?code=ace-1",
    "Observation?date=2026-03-10",
    "Patient/{p}/$everything",
)


async def _child(world: World, sizes: Sequence[int]) -> tuple[UUID, list[str]]:
    """The Patient, and Observations with notes of so many bytes, in the order in which they are found."""
    child = uuid4()
    await world.grant(child, PSYCHOLOGY, "referral")
    await world.grant(child, PSYCHOLOGY, patient=True)
    patient = await world.patient(child)
    ids = sorted(uuid4() for _ in sizes)
    for identity, size in zip(ids, sizes, strict=True):
        await world.observation(child, patient, resource_id=identity, note=[{"text": "x" * size}])
    return patient, list(map(str, ids))


async def _pages(server: Server, query: str, total: int) -> list[list[str]]:
    pages, url = [], f"{BASE}/{query}"
    while url:
        answer = await server.get(url)
        found = matches(answer)
        assert answer.json()["total"] == total
        assert len(found) == 1 or len(answer.content) < MOST_BYTES + FRAME
        pages.append([one["id"] for one in found if one["resourceType"] == "Observation"])
        url = link(answer, "next") or ""
    return pages


@pytest.mark.parametrize("query", SEARCHES)
async def test_a_page_ends_early_and_the_next_goes_on(world: World, server: Server, query: str) -> None:
    third = MOST_BYTES // 3 - 2_000
    patient, ids = await _child(world, [third] * 7)
    everything = query.endswith("$everything")
    pages = await _pages(server, query.format(p=patient), 7 + everything)
    assert pages == [ids[:3], ids[3:6], ids[6:]]
    told = [json.loads(row["disclosed"]) for row in reversed(await world.audit())]
    named = [[name for entry in entries for name in entry["resources"]] for entries in told]
    assert [len(page) for page in named] == [3 + everything, 3, 1], "what isn't on the page isn't disclosed"


async def test_what_is_larger_than_a_page_is_alone_on_one(world: World, server: Server) -> None:
    patient, ids = await _child(world, [10, MOST_BYTES + 10, MOST_BYTES + 10, 10, 10])
    pages = await _pages(server, f"Observation?patient={patient}", 5)
    assert pages == [ids[:1], ids[1:2], ids[2:3], ids[3:]]


async def test_what_is_counted_alone_has_no_page(world: World, server: Server) -> None:
    patient, _ = await _child(world, [MOST_BYTES, MOST_BYTES])
    only = await server.get(f"Observation?patient={patient}&_count=0")
    assert (only.json()["total"], matches(only), link(only, "next")) == (2, [], None)
