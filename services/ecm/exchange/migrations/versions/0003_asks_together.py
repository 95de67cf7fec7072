"""Asks of one kind are answered by one statement; the audit names what was disclosed for one reason together."""

from alembic import op

from ecm.exchange.disclosure.disclose_sql import functions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Writes the functions anew."""
    for function in functions():
        op.execute(function)


def downgrade() -> None:
    """There is no way back."""
    raise NotImplementedError("Restore a backup.")
