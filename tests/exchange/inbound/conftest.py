"""A database of its own for these suites, in the PostgreSQL that all suites share; owners that a test fills."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.kit.db.engine import make_engine
from ecm.kit.region import load_region
from ecm.local.stack import Stack
from exchange.database import fresh_database
from exchange.inbound.world import World
from exchange.owners import Owner, serving_owners


@pytest_asyncio.fixture(scope="session")
async def inbound_urls(infrastructure: Stack) -> dict[str, str]:
    """`owner` and `app` of a migrated, empty database."""
    return await fresh_database(infrastructure, "ecm_exchange_inbound")


@pytest_asyncio.fixture(scope="session")
async def engine(inbound_urls: dict[str, str]) -> AsyncIterator[AsyncEngine]:
    """The pool of the app role."""
    engine = make_engine(inbound_urls["app"], pool_size=8, app_name="test-inbound")
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session")
async def owners(infrastructure: Stack) -> AsyncIterator[dict[str, Owner]]:
    """The four services that own records."""
    async with serving_owners(infrastructure, "inbound") as serving:
        yield serving


@pytest_asyncio.fixture
async def world(inbound_urls: dict[str, str], engine: AsyncEngine, owners: dict[str, Owner], repository: Path) -> World:
    """Everything inward of an exchange but its Kafka, over empty tables."""
    sql = await asyncpg.connect(inbound_urls["owner"], ssl=False)
    tables = "grants grant_set withheld line client resource resource_version projected_child projected_record inbox"
    more = "fetch_queue told dataref event_counter partner_outbox"
    await sql.execute(f"TRUNCATE {', '.join((tables + ' ' + more).split())} CASCADE")
    await sql.execute("UPDATE exchange_state SET region_epoch = 0, region_version = 0")
    await sql.close()
    return World.over(engine, load_region(repository / "deploy/regions/example/region.yaml"), owners)
