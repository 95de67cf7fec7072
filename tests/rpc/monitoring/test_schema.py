"""The tables in Python are those that the migrations make, and the app role can't do more than it must."""

import asyncpg

from ecm.monitoring.tables import metadata

FORBIDDEN = ("DELETE FROM supervision", "UPDATE supervision SET minutes = 1", "DELETE FROM record_version")


async def test_tables_are_what_the_migrations_make(monitoring, infrastructure):
    connection = await asyncpg.connect(infrastructure.database_url("monitoring", "owner"))
    try:
        rows = await connection.fetch(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
        )
    finally:
        await connection.close()
    made = {(row["table_name"], row["column_name"], row["is_nullable"] == "YES") for row in rows}
    declared = {(t.name, c.name, bool(c.nullable)) for t in metadata.sorted_tables for c in t.columns}
    names = {table.name for table in metadata.sorted_tables}
    assert {row for row in made if row[0] in names} == declared


async def test_what_was_counted_cant_be_changed(monitoring, infrastructure):
    connection = await asyncpg.connect(infrastructure.database_url("monitoring", "app"))
    try:
        for statement in FORBIDDEN:
            try:
                await connection.execute(statement)
            except asyncpg.InsufficientPrivilegeError:
                continue
            raise AssertionError(statement)
    finally:
        await connection.close()
