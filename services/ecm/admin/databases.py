"""The five databases and their roles, made and kept right at every start."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import asyncpg

from ecm.admin.credentials import SUPERUSER
from ecm.admin.names import KEYCLOAK, app_role, database, owner_role
from ecm.kit.names import SERVICES

LOOPBACK = "127.0.0.1"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def url(service: str, role: str, password: str, port: int, host: str = LOOPBACK) -> str:
    """The connection URL of one role of one service's database."""
    return f"postgresql://{role}:{password}@{host}:{port}/{database(service)}"


async def answers(port: int, password: str, *, host: str = LOOPBACK) -> bool:
    """Whether the server takes a connection."""
    try:
        connection = await _connect(host, port, password, "postgres")
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


async def sync(
    port: int, passwords: Mapping[str, str], services: Sequence[str] = SERVICES, *, host: str = LOOPBACK
) -> None:
    """Make roles and databases that are missing; set passwords and rights. Idempotent."""
    connection = await _connect(host, port, passwords[SUPERUSER], "postgres")
    try:
        for service in services:
            await _sync_roles(connection, service, passwords)
            await _sync_database(connection, service)
    finally:
        await connection.close()
    for service in services:
        await _sync_schema(host, port, passwords[SUPERUSER], service)


async def sync_issuer(port: int, passwords: Mapping[str, str], *, host: str) -> None:
    """Make Keycloak's database and its one role, which owns it. Idempotent."""
    connection = await _connect(host, port, passwords[SUPERUSER], "postgres")
    try:
        await _sync_role(connection, KEYCLOAK, passwords[KEYCLOAK])
        await _make_database(connection, KEYCLOAK, KEYCLOAK, (KEYCLOAK,))
    finally:
        await connection.close()


async def _sync_roles(connection: Connection, service: str, passwords: Mapping[str, str]) -> None:
    for role in (owner_role(service), app_role(service)):
        await _sync_role(connection, role, passwords[role])


async def _sync_role(connection: Connection, role: str, password: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f'CREATE ROLE "{role}"')
    # Neither name nor password holds a quote: names are constants, passwords hexadecimal.
    await connection.execute(f"ALTER ROLE \"{role}\" LOGIN NOCREATEDB NOCREATEROLE PASSWORD '{password}'")


async def _sync_database(connection: Connection, service: str) -> None:
    owner, app = owner_role(service), app_role(service)
    await _make_database(connection, database(service), owner, (owner, app))


async def _make_database(connection: Connection, name: str, owner: str, roles: Sequence[str]) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    for role in roles:
        await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{role}"')


async def _sync_schema(host: str, port: int, password: str, service: str) -> None:
    """The owner makes tables in `public`, the app role only uses them."""
    connection = await _connect(host, port, password, database(service))
    try:
        await connection.execute(
            f'ALTER SCHEMA public OWNER TO "{owner_role(service)}";'
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
            f'GRANT USAGE ON SCHEMA public TO "{app_role(service)}"'
        )
    finally:
        await connection.close()


async def _connect(host: str, port: int, password: str, name: str) -> Connection:
    return await asyncpg.connect(
        host=host, port=port, user=SUPERUSER, password=password, database=name, timeout=5, ssl=False
    )
