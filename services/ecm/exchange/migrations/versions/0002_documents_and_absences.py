"""A document Bundle needs a grant on the Patient that it holds; no version older than an absence is served."""

from alembic import op

from ecm.exchange.disclosure.disclose_sql import functions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Writes the functions anew: the predicate stands in them."""
    for function in functions():
        op.execute(function)


def downgrade() -> None:
    """There is no way back from a stricter predicate."""
    raise NotImplementedError("Restore a backup.")
