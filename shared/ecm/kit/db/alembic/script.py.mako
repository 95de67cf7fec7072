"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What changes, and why it is safe while the version before still runs."""
    ${upgrades if upgrades else "raise NotImplementedError"}
