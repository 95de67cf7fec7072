"""Migrations: owner and app role apart, repeatable, and equal to the declared tables."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.kit.conftest import PACKAGE, SERVICE, Database
from ecm.admin.names import app_role
from ecm.kit.db.engine import make_engine
from ecm.kit.db.migrations import MigrationError, migrate
from ecm.kit.db.tables import metadata


async def test_two_runs_at_once_and_a_third(database: Database) -> None:
    runs = (migrate(PACKAGE, database.owner, app_role(SERVICE)) for _ in range(3))
    await asyncio.gather(*runs)


async def test_tables_are_as_declared(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_server_default": True}), metadata
        )
        return [difference for difference in found if "alembic_version" not in str(difference)]

    owner = make_engine(database.owner, app_name="test")
    async with owner.connect() as connection:
        assert await connection.run_sync(differences) == []
    await owner.dispose()


FORBIDDEN = {
    "create a table": "CREATE TABLE mine (id int)",
    "create a temporary table": "CREATE TEMPORARY TABLE mine (id int)",
    "create a schema": "CREATE SCHEMA mine",
    "alter a table": "ALTER TABLE record ADD COLUMN mine int",
    "drop a table": "DROP TABLE outbox",
    "truncate": "TRUNCATE outbox",
    "change a version": "UPDATE record_version SET reason = 'x'",
    "delete a version": "DELETE FROM record_version",
    "delete a record": "DELETE FROM record",
    "move a record": "UPDATE record SET yot = 'westmoor'",
    "change an event": "UPDATE outbox SET value = ''",
    "mark migrations": "DELETE FROM alembic_version",
}


@pytest.mark.parametrize("deed", FORBIDDEN)
async def test_the_app_role_may_not(engine: AsyncEngine, deed: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        async with engine.begin() as connection:
            await connection.execute(text(FORBIDDEN[deed]))


async def test_an_app_role_that_can_do_more_is_refused(database: Database) -> None:
    with pytest.raises(MigrationError, match="can do more than serve"):
        await migrate(PACKAGE, database.owner, "ecm_kit_owner")


async def test_clear_errors(database: Database) -> None:
    with pytest.raises(MigrationError, match="no migrations/versions folder"):
        await migrate("nowhere", database.owner, app_role(SERVICE))
    with pytest.raises(MigrationError, match="There is no role nobody_here"):
        await migrate(PACKAGE, database.owner, "nobody_here")


async def test_every_wait_of_the_app_role_is_bounded(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            value = (await connection.execute(text(f"SHOW {name}"))).scalar_one()
            assert value.endswith("s") and value != "0", name
