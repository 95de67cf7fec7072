"""A database of its own for these suites, in the PostgreSQL that all suites share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from ecm.kit.db.engine import make_engine
from ecm.kit.region import load_region
from ecm.local.stack import Stack
from exchange.database import fresh_database
from exchange.outbound.world import Server, World, connect


@pytest_asyncio.fixture(scope="session")
async def urls(infrastructure: Stack) -> dict[str, str]:
    """`owner` and `app` of a migrated, empty database."""
    return await fresh_database(infrastructure, "ecm_exchange_outbound")


@pytest_asyncio.fixture(scope="session")
async def database(urls: dict[str, str]) -> AsyncIterator[World]:
    """The builders, on the owner's connection."""
    sql = await connect(urls["owner"])
    yield World(sql)
    await sql.close()


@pytest_asyncio.fixture
async def world(database: World) -> World:
    """The builders, on empty tables with the two clients."""
    await database.clear()
    return database


@pytest_asyncio.fixture
async def server(urls: dict[str, str], world: World, repository: Path) -> AsyncIterator[Server]:
    """The API over the database."""
    engine = make_engine(urls["app"], pool_size=2, app_name="test")
    region = load_region(repository / "deploy/regions/example/region.yaml")
    running = Server(urls["app"], engine, region)
    await running.writers.start()
    yield running
    await running.writers.stop()
    running.beats.close()
    await running.http.aclose()
    await engine.dispose()
