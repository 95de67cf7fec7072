"""The common tables, and the cases that were heard of."""

from alembic import op

from ecm.kit.db.common_v1 import create_common
from ecm.kit.db.grants import grant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KNOWN_CASE = """
    CREATE TABLE known_case (
        case_id uuid PRIMARY KEY,
        child_id uuid NOT NULL,
        yot text NOT NULL,
        state integer NOT NULL,
        erased boolean NOT NULL,
        version bigint NOT NULL
    )
"""


def upgrade() -> None:
    """The first version: nothing runs yet."""
    create_common(op)
    op.execute(_KNOWN_CASE)
    grant(op, "known_case", "SELECT, INSERT, UPDATE")
