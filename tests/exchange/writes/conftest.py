"""A database of its own, with everything of an exchange but Kafka, and a `formulation` of a few lines."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from ecm.kit.db.engine import make_engine
from ecm.kit.db.migrations import migrate
from ecm.kit.region import load_region
from ecm.local import credentials
from ecm.local.stack import Stack
from exchange.inbound.world import World as Inward
from exchange.outbound.world import Server
from exchange.writes.world import Journey

NAME = "ecm_exchange_writes"
TABLES = (
    "grants, grant_set, withheld, line, client, resource, resource_version, projected_child, projected_record, inbox,"
    " fetch_queue, told, dataref, event_counter, partner_outbox, idempotency, audit, audit_writer"
)


@pytest_asyncio.fixture(scope="session")
async def write_urls(infrastructure: Stack) -> dict[str, str]:
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


@pytest_asyncio.fixture
async def journey(write_urls: dict[str, str], repository: Path) -> AsyncIterator[Journey]:
    """One child, before any partner has written."""
    sql = await asyncpg.connect(write_urls["owner"], ssl=False)
    await sql.execute(f"TRUNCATE {TABLES} CASCADE")
    await sql.execute("UPDATE exchange_state SET region_epoch = 0, region_version = 0")
    await sql.close()
    region = load_region(repository / "deploy/regions/example/region.yaml")
    engine = make_engine(write_urls["app"], pool_size=6, app_name="test-writes")
    server = Server(write_urls["app"], engine, region)
    await server.writers.start()
    yield await Journey.begin(Inward.over(engine, region), server)
    await server.writers.stop()
    await server.http.aclose()
    await engine.dispose()
