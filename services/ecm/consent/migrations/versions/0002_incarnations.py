"""Which incarnation of the exchange's database is the present one, and whether the leases of the others are over.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until now there was one."""
    op.execute("ALTER TABLE standing ADD COLUMN ordinal bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE standing ADD COLUMN alone bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    """There is no way back: versions are kept."""
    raise NotImplementedError("Restore a backup instead.")
