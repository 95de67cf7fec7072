"""A database of its own for these suites, in the PostgreSQL that all suites share; owners that a test fills."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.kit.db.engine import make_engine
from ecm.kit.db.migrations import migrate
from ecm.kit.region import load_region
from ecm.local import credentials
from ecm.local.stack import Stack
from exchange.inbound.world import World

NAME = "ecm_exchange_inbound"


@pytest_asyncio.fixture(scope="session")
async def inbound_urls(infrastructure: Stack) -> dict[str, str]:
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
async def engine(inbound_urls: dict[str, str]) -> AsyncIterator[AsyncEngine]:
    """The pool of the app role."""
    engine = make_engine(inbound_urls["app"], pool_size=8, app_name="test-inbound")
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def world(inbound_urls: dict[str, str], engine: AsyncEngine, repository: Path) -> World:
    """Everything inward of an exchange but its Kafka, over empty tables."""
    sql = await asyncpg.connect(inbound_urls["owner"], ssl=False)
    tables = "grants grant_set withheld line client resource resource_version projected_child projected_record inbox"
    more = "fetch_queue told dataref event_counter partner_outbox"
    await sql.execute(f"TRUNCATE {', '.join((tables + ' ' + more).split())} CASCADE")
    await sql.execute("UPDATE exchange_state SET region_epoch = 0, region_version = 0")
    await sql.close()
    return World.over(engine, load_region(repository / "deploy/regions/example/region.yaml"))
