"""Writers: who waits shares a call, whoever waits too long is told so, and nobody is forgotten."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from ecm.exchange.audit import writer as single
from ecm.exchange.audit import writers as module
from ecm.exchange.disclosure.asks import Ask, Inquiry
from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.exchange.disclosure.disclose_sql import agency_lock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from exchange.outbound.world import PSYCHOLOGY, Server, World, connect
from faulting.proxy import Proxy

LOCK = f"SELECT pg_advisory_xact_lock({agency_lock('$1::text')})"
CALLER = PartnerCaller(PSYCHOLOGY, PSYCHOLOGY, frozenset(), frozenset())


@pytest_asyncio.fixture
async def narrowing(urls: dict[str, str]) -> AsyncIterator[Any]:
    sql = await connect(urls["owner"])
    yield sql
    await sql.close()


def _read() -> Ask:
    return Ask(Inquiry("read", "GET Observation/[id]"), "read", "Observation", uuid4())


async def _calls(world: World) -> list[int]:
    """How many asks went in each call: they have the instant in common."""
    rows = await world.sql.fetch("SELECT count(*) AS asks FROM audit GROUP BY writer, at ORDER BY at")
    return [row["asks"] for row in rows]


@pytest.mark.parametrize(("asks", "calls"), [(1, [1]), (7, [7]), (12, [6, 6]), (50, [25, 25])])
async def test_who_asks_at_once_shares_a_call_or_two(world: World, server: Server, asks: int, calls: list[int]) -> None:
    await asyncio.gather(*(server.writers.disclose(CALLER, _read()) for _ in range(asks)))
    assert await _calls(world) == calls


async def test_who_asks_during_a_call_goes_with_the_next_unless_enough_wait(
    world: World, server: Server, narrowing: Any
) -> None:
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        asking = [asyncio.create_task(server.writers.disclose(CALLER, _read()))]
        await asyncio.sleep(0.1)
        asking += [asyncio.create_task(server.writers.disclose(CALLER, _read())) for _ in range(40)]
        await asyncio.sleep(0.1)
    await asyncio.gather(*asking)
    assert sorted(await _calls(world)) == [1, 19, 21]


async def test_the_next_call_is_on_its_way_before_who_was_asked_for_is_answered(
    world: World, server: Server, narrowing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    disclose = single.Writer.disclose

    async def noted(*args: Any) -> Any:
        happened.append("call")
        # What was written goes out before the loop's next step.
        asyncio.get_running_loop().call_soon(happened.append, "sent")
        return await disclose(*args)

    async def ask(name: str) -> None:
        await server.writers.disclose(CALLER, _read())
        happened.append(name)

    monkeypatch.setattr(single.Writer, "disclose", noted)
    monkeypatch.setattr(module, "TURNS", 0)
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        asking = [asyncio.create_task(ask("first"))]
        await asyncio.sleep(0.1)
        asking += [asyncio.create_task(ask("second")) for _ in range(3)]
        await asyncio.sleep(0.1)
    await asyncio.gather(*asking)
    assert happened == ["call", "sent", "call", "sent", "first", *["second"] * 3]


async def test_who_is_tried_alone_is_answered_alone(
    server: Server, narrowing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One faulty ask has each of a call tried by itself; a narrowing that comes between holds back the later ones."""
    tried: list[int] = []
    disclose = single.Writer.disclose
    held = asyncio.Event()

    async def faulty(writer: single.Writer, agency: str, asks: Any) -> Any:
        tried.append(len(asks))
        if len(tried) in (1, 3):
            raise ValueError("faulty")
        if len(tried) == 4:
            held.set()
            await asyncio.sleep(0.5)
        return await disclose(writer, agency, asks)

    monkeypatch.setattr(single.Writer, "disclose", faulty)
    asking = [asyncio.create_task(server.writers.disclose(CALLER, _read())) for _ in range(3)]
    await held.wait()
    assert [one.done() for one in asking] == [True, True, False]
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert tried == [3, 1, 1, 1]
    assert [one.reason if isinstance(one, DomainError) else one.outcome for one in found if one] == [
        "nothing",
        Reason.INTERNAL,
        "nothing",
    ]


async def test_who_asks_while_the_exchange_stops_is_told_so(server: Server, narrowing: Any) -> None:
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        asking = [asyncio.create_task(server.writers.disclose(CALLER, _read())) for _ in range(5)]
        await asyncio.sleep(0.1)
        await server.writers.stop()
        found = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 2)
    assert [one.reason for one in found if isinstance(one, DomainError)] == [Reason.PEER_UNREACHABLE] * 5


async def test_who_waits_too_long_is_told_so_and_the_next_is_served(
    world: World, server: Server, narrowing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)
    async with narrowing.transaction():
        await narrowing.execute(LOCK, PSYCHOLOGY)
        # One is under way, the others wait for it.
        late = [asyncio.create_task(server.writers.disclose(CALLER, _read()))]
        await asyncio.sleep(0.1)
        late += [asyncio.create_task(server.writers.disclose(CALLER, _read())) for _ in range(2)]
        found = await asyncio.wait_for(asyncio.gather(*late, return_exceptions=True), 2)
    assert [one.reason for one in found if isinstance(one, DomainError)] == [Reason.PEER_UNREACHABLE] * 3
    monkeypatch.undo()
    assert (await server.writers.disclose(CALLER, _read())).outcome == "nothing"
    # Those that were answered 503 before their call began aren't in it.
    assert sum(await _calls(world)) == 2


@pytest.fixture
def way(urls: dict[str, str]) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the database, and the database's URL by it."""
    parts = urlsplit(urls["app"])
    proxy = Proxy(f"{parts.hostname}:{parts.port}")
    user = parts.netloc.rpartition("@")[0]
    yield proxy, parts._replace(netloc=f"{user}@{proxy.address}").geturl()
    proxy.close()


async def test_a_writer_whose_connection_is_forgotten_is_replaced_before_anybody_asks(
    world: World, way: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a firewall between the exchange and its database, when nothing was asked for long."""
    monkeypatch.setattr(module, "REST_SECONDS", 0.2)
    monkeypatch.setattr(single, "LOOK_SECONDS", 0.3)
    proxy, url = way
    writers = module.Writers(url, RandomIds(), 3)
    await writers.start()
    try:
        proxy.strand()
        await asyncio.sleep(2)
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*(writers.disclose(CALLER, _read()) for _ in range(20)))
        assert {one.outcome for one in answers} == {"nothing"}
    finally:
        await writers.stop()
