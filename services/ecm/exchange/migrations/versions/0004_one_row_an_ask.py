"""A row for each ask; an audit row that names a page is kept as it is, not compressed."""

from alembic import op

from ecm.exchange.disclosure.disclose_sql import functions
from ecm.kit.db.grants import grant_execute

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Writes the functions anew: what `disclose()` returns has changed, so that it is another one, with new rights."""
    # Rows of 2 to 8 kB would be compressed otherwise, which costs more than all else about them.
    op.execute("ALTER TABLE audit SET (toast_tuple_target = 8160)")
    for function in functions():
        op.execute(function)
    grant_execute(op, "disclose(text, uuid, bigint, jsonb)")


def downgrade() -> None:
    """There is no way back."""
    raise NotImplementedError("Restore a backup.")
