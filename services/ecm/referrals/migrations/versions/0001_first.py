"""The common tables, and the identifiers of children."""

from alembic import op

from ecm.kit.db.common_v1 import create_common
from ecm.kit.db.grants import grant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first version: nothing runs yet."""
    create_common(op)
    op.execute(
        """
        CREATE TABLE child_identifier (
            yot text NOT NULL,
            kind text NOT NULL,
            value text NOT NULL,
            child_id uuid NOT NULL,
            PRIMARY KEY (yot, kind, value)
        )
        """
    )
    op.execute("CREATE INDEX child_identifier_child_idx ON child_identifier (child_id)")
    grant(op, "child_identifier", "SELECT, INSERT, DELETE")
