"""PostgreSQL: engine, tables, migrations, unit of work, records."""
