"""The common tables alone: what every service's first migration makes."""

from alembic import op

from ecm.kit.db.common_v1 import create_common

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_common(op)
