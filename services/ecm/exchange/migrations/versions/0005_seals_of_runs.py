"""A seal is of a run of one writer's rows, not of one row. Those that are there are runs of one."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Digests look random: trying to compress them costs, and a part of them is read as it stands."""
    op.execute("ALTER TABLE audit_seal RENAME COLUMN digest TO digests")
    op.execute("ALTER TABLE audit_seal ALTER COLUMN digests SET STORAGE EXTERNAL")


def downgrade() -> None:
    """There is no way back."""
    raise NotImplementedError("Restore a backup.")
