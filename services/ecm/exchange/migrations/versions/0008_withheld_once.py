"""What is withheld of a child is looked up once for all that is found of it."""

from alembic import op

from ecm.exchange.disclosure.disclose_sql import functions
from ecm.kit.db.grants import grant_execute

revision = "0008"
down_revision = "0007"
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
