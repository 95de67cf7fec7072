"""Alembic's entry: runs a service's migrations on the connection that `ecm.kit.db.migrations` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    app_role=context.config.attributes["app_role"],
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
