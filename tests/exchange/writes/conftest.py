"""A database of its own, with everything of an exchange but Kafka, and a `formulation` of a few lines for commands."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from ecm.exchange.api.body import Reading
from ecm.exchange.large import Worker
from ecm.kit.db.engine import make_engine
from ecm.kit.region import load_region
from ecm.local.stack import Stack
from exchange.database import fresh_database
from exchange.inbound.world import World as Inward
from exchange.outbound.world import Server
from exchange.owners import Owner, serving_owners
from exchange.writes.world import Journey

TABLES = (
    "grants, grant_set, withheld, line, client, resource, resource_version, projected_child, projected_record, inbox,"
    " fetch_queue, told, dataref, event_counter, partner_outbox, idempotency, audit, audit_writer"
)


@pytest_asyncio.fixture(scope="session")
async def write_urls(infrastructure: Stack) -> dict[str, str]:
    """`owner` and `app` of a migrated, empty database."""
    return await fresh_database(infrastructure, "ecm_exchange_writes")


@pytest_asyncio.fixture(scope="session")
async def owners(infrastructure: Stack) -> AsyncIterator[dict[str, Owner]]:
    """The four services that own records."""
    async with serving_owners(infrastructure, "writes") as serving:
        yield serving


@pytest_asyncio.fixture
async def journey(write_urls: dict[str, str], owners: dict[str, Owner], repository: Path) -> AsyncIterator[Journey]:
    """One child, before any partner has written."""
    sql = await asyncpg.connect(write_urls["owner"], ssl=False)
    await sql.execute(f"TRUNCATE {TABLES} CASCADE")
    await sql.execute("UPDATE exchange_state SET region_epoch = 0, region_version = 0")
    await sql.close()
    region = load_region(repository / "deploy/regions/example/region.yaml")
    engine = make_engine(write_urls["app"], pool_size=6, app_name="test-writes")
    server = Server(write_urls["app"], engine, region)
    await server.writers.start()
    with Worker() as worker:
        yield await Journey.begin(Inward.over(engine, region, owners), server, Reading(worker))
    await server.writers.stop()
    server.beats.close()
    await server.http.aclose()
    await engine.dispose()
