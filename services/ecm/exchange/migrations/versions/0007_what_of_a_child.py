"""What of a child is to be looked at: some records, or all. Who waits already is looked at whole."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the records."""
    op.execute("ALTER TABLE fetch_queue ADD COLUMN records uuid[]")


def downgrade() -> None:
    """There is no way back."""
    raise NotImplementedError("Restore a backup.")
