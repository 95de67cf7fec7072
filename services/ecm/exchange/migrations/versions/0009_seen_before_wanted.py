"""What else a search wants is looked at only of what may be seen."""

from alembic import op

from ecm.exchange.disclosure.disclose_sql import functions
from ecm.kit.db.grants import grant_execute

revision = "0009"
down_revision = "0008"
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
