"""Migrates one service's database with its owner role.

A service keeps its migrations in `ecm/<service>/migrations/versions/`; Alembic's
machinery stands here.
"""

import asyncio
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from ecm.kit.db.engine import driver_url
from ecm.kit.db.failures import sqlstate

LOCK_SECONDS = 3
"""A migration that waits for a table stops everybody behind it: give up, and try again."""
STATEMENT_SECONDS = 60
WAIT_FOR_OTHER_SECONDS = 300
TRIES = 5
PAUSE_SECONDS = 2.0

_LOCK_NOT_AVAILABLE = "55P03"
_ONE_AT_A_TIME = 0x45434D_4D494752  # "ECM MIGR": one advisory lock per database


class MigrationError(Exception):
    """The database can't be brought up to date; the message says why."""


async def migrate(service_package: str, owner_url: str | SecretStr, app_role: str) -> None:
    """Brings a database to the newest schema, as its owner. `service_package` is `referrals` or `ecm.referrals`.

    `app_role` is what the service works as: migrations grant it its rights.

    Each migration is a transaction of its own, with bounds on locks and
    statements; two runs wait for each other. Raises MigrationError.
    """
    versions = _versions(service_package)
    engine = _owner_engine(owner_url)
    try:
        for left in reversed(range(TRIES)):
            try:
                await _upgrade(engine, versions, app_role)
                return
            except DBAPIError as error:
                if sqlstate(error) != _LOCK_NOT_AVAILABLE or not left:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await engine.dispose()


async def _upgrade(engine: AsyncEngine, versions: Path, app_role: str) -> None:
    async with engine.connect() as connection:
        await connection.execute(text(f"SET lock_timeout = '{WAIT_FOR_OTHER_SECONDS}s'"))
        await connection.execute(text(f"SET statement_timeout = '{WAIT_FOR_OTHER_SECONDS}s'"))
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})
        await connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
        await connection.execute(text(f"SET statement_timeout = '{STATEMENT_SECONDS}s'"))
        await connection.commit()
        await connection.run_sync(_run_alembic, versions, app_role)
        await connection.commit()
        await _guard(connection, app_role)


def _run_alembic(connection: Connection, versions: Path, app_role: str) -> None:
    config = Config()
    machinery = Path(__file__).with_name("alembic")
    config.set_main_option("script_location", str(machinery).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, app_role=app_role)
    command.upgrade(config, "head")


async def _guard(connection: AsyncConnection, app_role: str) -> None:
    """The app role must not be able to change the schema, nor to become somebody who can."""
    query = text(
        """
        SELECT has_schema_privilege(r.oid, 'public', 'CREATE') AS creates,
               has_database_privilege(r.oid, current_database(), 'CREATE') AS creates_schemas,
               has_database_privilege(r.oid, current_database(), 'TEMPORARY') AS creates_temporary,
               r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls AS privileged,
               pg_has_role(r.oid, current_user, 'MEMBER') AS is_owner
        FROM pg_roles r WHERE r.rolname = :role
        """
    )
    row = (await connection.execute(query, {"role": app_role})).mappings().first()
    if row is None:
        raise MigrationError(f"There is no role {app_role}; create it first (ecm up does, locally).")
    faults = sorted(name for name, holds in row.items() if holds)
    if faults:
        raise MigrationError(f"The role {app_role} can do more than serve ({', '.join(faults)}); revoke that.")


def _versions(service_package: str) -> Path:
    name = service_package if "." in service_package else f"ecm.{service_package}"
    spec = find_spec(name)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        versions = Path(folder) / "migrations" / "versions"
        if versions.is_dir():
            return versions
    raise MigrationError(f"{name} has no migrations/versions folder.")


def _owner_engine(owner_url: str | SecretStr) -> AsyncEngine:
    return create_async_engine(
        driver_url(owner_url),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"server_settings": {"application_name": "ecm-migrate"}, "timeout": 10, "ssl": None},
    )
