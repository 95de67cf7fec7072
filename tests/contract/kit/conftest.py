"""A database of the kit's own on the real PostgreSQL, and topics of its own on the real Kafka."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from kafka.admin import NewTopic
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.builders import EVENTS, TABLES, KitSettings
from ecm.admin import credentials, databases
from ecm.admin.kafka_sync import admin
from ecm.admin.names import KAFKA_ADMIN, app_role, owner_role
from ecm.kit.db.engine import make_engine
from ecm.kit.db.migrations import migrate
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.ids import RandomIds
from ecm.kit.telemetry import configure_logging
from ecm.local.stack import Stack
from unit.kit.builders import EXAMPLE_REGION, FakeClock, example_region

SERVICE = "kit"
PACKAGE = "contract.kit.example"


@dataclass(frozen=True)
class Database:
    """The URLs of the kit's own database."""

    owner: str
    app: str


@pytest.fixture(scope="session", autouse=True)
def logs() -> None:
    """As in a service: one line per event, libraries kept quiet."""
    configure_logging("kit")


@pytest.fixture(scope="session")
async def empty_database(infrastructure: Stack) -> Database:
    """A database with its two roles, without tables."""
    known = credentials.passwords(infrastructure.paths)["postgres"]
    passwords = known | {owner_role(SERVICE): "owner-secret", app_role(SERVICE): "app-secret"}
    port = infrastructure.plan.ports["postgres"]
    await databases.sync(port, passwords, services=(SERVICE,))
    return Database(
        owner=databases.url(SERVICE, owner_role(SERVICE), "owner-secret", port),
        app=databases.url(SERVICE, app_role(SERVICE), "app-secret", port),
    )


@pytest.fixture(scope="session")
async def database(empty_database: Database) -> Database:
    """The database, migrated."""
    await migrate(PACKAGE, empty_database.owner, app_role(SERVICE))
    return empty_database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """The app role's engine on empty tables."""
    owner = make_engine(database.owner, app_name="test-owner")
    async with owner.begin() as connection:
        await connection.execute(text(f"TRUNCATE {', '.join(TABLES)}"))
    await owner.dispose()
    made = make_engine(database.app, app_name="ecm-kit")
    yield made
    await made.dispose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def uow(engine: AsyncEngine, clock: FakeClock) -> UnitOfWork:
    """Units of work of the service `kit`."""
    return UnitOfWork(engine, clock, RandomIds(), example_region(), EVENTS)


@pytest.fixture
def settings(infrastructure: Stack, database: Database, tmp_path: Path) -> KitSettings:
    """Settings of the service `kit`; Kafka's principal is the administrator, for topics of each test's own."""
    kafka = infrastructure.kafka(KAFKA_ADMIN)
    return KitSettings(
        region_file=EXAMPLE_REGION,
        database_url=SecretStr(database.app),
        kafka_bootstrap=kafka.bootstrap,
        kafka_username=kafka.username,
        kafka_password=SecretStr(kafka.password),
        issuer=infrastructure.plan.issuer,
        jwks_url=infrastructure.plan.jwks_url,
        token_url=infrastructure.plan.token_url,
        client_key_file=infrastructure.paths.client_key("ecm-exchange"),
    )


@pytest.fixture
def topic(infrastructure: Stack) -> str:
    """A topic of this test's own with three partitions, and its dead letters."""
    kafka = infrastructure.kafka(KAFKA_ADMIN)
    name = f"ecm.test.{uuid4().hex[:8]}.v1"
    with admin(kafka.bootstrap, kafka.password) as client:
        client.create_topics([NewTopic(name, 3, 1), NewTopic(f"{name}.{SERVICE}.dlq", 1, 1)])
    return name
