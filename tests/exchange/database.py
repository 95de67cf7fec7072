"""A database of its own for a suite of the exchange's, in the PostgreSQL that all suites share."""

import asyncpg

from ecm.admin import credentials
from ecm.kit.db.migrations import migrate
from ecm.local.stack import Stack


async def fresh_database(infrastructure: Stack, name: str) -> dict[str, str]:
    """`owner` and `app` of a migrated, empty database."""
    found = {role: infrastructure.database_url("exchange", role) for role in ("owner", "app")}
    password = credentials.passwords(infrastructure.paths)["postgres"]["postgres"]
    admin = {"host": "127.0.0.1", "port": infrastructure.plan.ports["postgres"], "user": "postgres", "ssl": False}
    sql = await asyncpg.connect(**admin, password=password, database="postgres")
    await sql.execute(f'CREATE DATABASE "{name}" OWNER ecm_exchange_owner')
    await sql.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    await sql.execute(f'GRANT CONNECT ON DATABASE "{name}" TO ecm_exchange_app')
    await sql.close()
    sql = await asyncpg.connect(**admin, password=password, database=name)
    await sql.execute("ALTER SCHEMA public OWNER TO ecm_exchange_owner; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    await sql.close()
    made = {role: url.rpartition("/")[0] + f"/{name}" for role, url in found.items()}
    await migrate("ecm.exchange", made["owner"], "ecm_exchange_app")
    return made
