"""Databases of their own for a suite of the exchange's, in the PostgreSQL that all suites share."""

import asyncpg

from ecm.admin import credentials
from ecm.admin.names import app_role, owner_role
from ecm.kit.db.migrations import migrate
from ecm.local.stack import Stack


async def fresh_database(infrastructure: Stack, name: str, service: str = "exchange") -> dict[str, str]:
    """`owner` and `app` of a migrated, empty database of a service's."""
    owner, app = owner_role(service), app_role(service)
    found = {role: infrastructure.database_url(service, role) for role in ("owner", "app")}
    password = credentials.passwords(infrastructure.paths)["postgres"]["postgres"]
    admin = {"host": "127.0.0.1", "port": infrastructure.plan.ports["postgres"], "user": "postgres", "ssl": False}
    sql = await asyncpg.connect(**admin, password=password, database="postgres")
    await sql.execute(f'CREATE DATABASE "{name}" OWNER {owner}')
    await sql.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    await sql.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {app}')
    await sql.close()
    sql = await asyncpg.connect(**admin, password=password, database=name)
    await sql.execute(f"ALTER SCHEMA public OWNER TO {owner}; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    await sql.close()
    made = {role: url.rpartition("/")[0] + f"/{name}" for role, url in found.items()}
    await migrate(service, made["owner"], app)
    return made
