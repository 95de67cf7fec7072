"""The five databases and their roles, made and kept right at every start."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import asyncpg

from ecm.local.credentials import SUPERUSER
from ecm.local.names import SERVICES, app_role, database, owner_role

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def url(service: str, role: str, password: str, port: int) -> str:
    """The connection URL of one role of one service's database."""
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database(service)}"


async def answers(port: int, password: str) -> bool:
    """Whether the server takes a connection."""
    try:
        connection = await _connect(port, password, "postgres")
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


async def sync(port: int, passwords: Mapping[str, str], services: Sequence[str] = SERVICES) -> None:
    """Make roles and databases that are missing; set passwords and rights. Idempotent."""
    connection = await _connect(port, passwords[SUPERUSER], "postgres")
    try:
        for service in services:
            await _sync_roles(connection, service, passwords)
            await _sync_database(connection, service)
    finally:
        await connection.close()
    for service in services:
        await _sync_schema(port, passwords[SUPERUSER], service)


async def _sync_roles(connection: Connection, service: str, passwords: Mapping[str, str]) -> None:
    for role in (owner_role(service), app_role(service)):
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f'CREATE ROLE "{role}"')
        # Neither name nor password holds a quote: names are constants, passwords hexadecimal.
        await connection.execute(f"ALTER ROLE \"{role}\" LOGIN NOCREATEDB NOCREATEROLE PASSWORD '{passwords[role]}'")


async def _sync_database(connection: Connection, service: str) -> None:
    name, owner, app = database(service), owner_role(service), app_role(service)
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{owner}", "{app}"')


async def _sync_schema(port: int, password: str, service: str) -> None:
    """The owner makes tables in `public`, the app role only uses them."""
    connection = await _connect(port, password, database(service))
    try:
        await connection.execute(
            f'ALTER SCHEMA public OWNER TO "{owner_role(service)}";'
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
            f'GRANT USAGE ON SCHEMA public TO "{app_role(service)}"'
        )
    finally:
        await connection.close()


async def _connect(port: int, password: str, name: str) -> Connection:
    return await asyncpg.connect(
        host="127.0.0.1", port=port, user=SUPERUSER, password=password, database=name, timeout=5, ssl=False
    )
