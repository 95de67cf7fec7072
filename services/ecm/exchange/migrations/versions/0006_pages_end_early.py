"""A page is bounded in bytes, too: it ends early."""

from alembic import op

from ecm.exchange.disclosure.disclose_sql import functions
from ecm.kit.db.grants import grant_execute

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Writes the functions anew."""
    for function in functions():
        op.execute(function)
    grant_execute(op, "disclose(text, uuid, bigint, jsonb)")


def downgrade() -> None:
    """There is no way back."""
    raise NotImplementedError("Restore a backup.")
