"""A database of its own for these suites, in the PostgreSQL that all suites share."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from ecm.kit.db.engine import make_engine
from ecm.kit.db.migrations import migrate
from ecm.kit.region import load_region
from ecm.local import credentials
from ecm.local.stack import Stack
from exchange.outbound.world import Server, World, connect

NAME = "ecm_exchange_outbound"


@pytest_asyncio.fixture(scope="session")
async def urls(infrastructure: Stack) -> dict[str, str]:
    """`owner` and `app` of a migrated, empty database."""
    found = {role: infrastructure.database_url("exchange", role) for role in ("owner", "app")}
    password = credentials.passwords(infrastructure.paths)["postgres"]["postgres"]
    admin = {"host": "127.0.0.1", "port": infrastructure.plan.ports["postgres"], "user": "postgres", "ssl": False}
    sql = await asyncpg.connect(**admin, password=password, database="postgres")
    await sql.execute(f'CREATE DATABASE "{NAME}" OWNER ecm_exchange_owner')
    await sql.execute(f'REVOKE ALL ON DATABASE "{NAME}" FROM PUBLIC')
    await sql.execute(f'GRANT CONNECT ON DATABASE "{NAME}" TO ecm_exchange_app')
    await sql.close()
    sql = await asyncpg.connect(**admin, password=password, database=NAME)
    await sql.execute("ALTER SCHEMA public OWNER TO ecm_exchange_owner; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    await sql.close()
    made = {role: url.rpartition("/")[0] + f"/{NAME}" for role, url in found.items()}
    await migrate("ecm.exchange", made["owner"], "ecm_exchange_app")
    return made


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
    await running.http.aclose()
    await engine.dispose()
