"""The common tables, what is heard of the others' records, caseload periods, and supervision."""

from alembic import op

from ecm.kit.db.common_v1 import create_common
from ecm.kit.db.grants import grant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_DDL = (
    """
    CREATE TABLE heard (
        record_id uuid PRIMARY KEY,
        kind text NOT NULL,
        child_id uuid NOT NULL,
        case_id uuid NOT NULL,
        yot text NOT NULL,
        version bigint NOT NULL,
        closed boolean NOT NULL
    )
    """,
    "CREATE INDEX heard_case_idx ON heard (case_id, kind)",
    "CREATE INDEX heard_yot_idx ON heard (yot, kind)",
    """
    CREATE TABLE fact (
        record_id uuid NOT NULL REFERENCES heard (record_id),
        n integer NOT NULL,
        name text NOT NULL,
        on_day date NOT NULL,
        reason text NOT NULL DEFAULT '',
        value integer NOT NULL DEFAULT 0,
        due date,
        meeting_id text NOT NULL DEFAULT '',
        PRIMARY KEY (record_id, n)
    )
    """,
    """
    CREATE TABLE caseload_period (
        yot text NOT NULL,
        first_day date NOT NULL,
        last_day date NOT NULL,
        record_id uuid NOT NULL,
        PRIMARY KEY (yot, first_day, last_day)
    )
    """,
    """
    CREATE TABLE supervision (
        supervision_id uuid PRIMARY KEY,
        yot text NOT NULL,
        held_on date NOT NULL,
        minutes integer NOT NULL,
        in_group boolean NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX supervision_yot_idx ON supervision (yot, held_on)",
)
_GRANTS = {
    "heard": "SELECT, INSERT, UPDATE",
    "fact": "SELECT, INSERT, DELETE",
    "caseload_period": "SELECT, INSERT",
    "supervision": "SELECT, INSERT",
}


def upgrade() -> None:
    """The first version: nothing runs yet."""
    create_common(op)
    for statement in _DDL:
        op.execute(statement)
    for table, rights in _GRANTS.items():
        grant(op, table, rights)
