"""The tables of `consent`.

Revision ID: 0001
"""

from alembic import op

from ecm.kit.db.common_v1 import create_common
from ecm.kit.db.grants import app_role, grant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_DDL = (
    "CREATE SEQUENCE grant_version",
    "CREATE SEQUENCE consent_ordinal",
    """
    CREATE TABLE fact (
        record_id uuid PRIMARY KEY,
        kind text NOT NULL,
        child_id uuid NOT NULL,
        case_id uuid,
        yot text NOT NULL,
        version bigint NOT NULL,
        closed boolean NOT NULL,
        terms jsonb NOT NULL
    )
    """,
    "CREATE INDEX fact_child_idx ON fact (child_id)",
    """
    CREATE TABLE narrowed (
        narrowing_id uuid PRIMARY KEY,
        child_id uuid NOT NULL,
        kind text NOT NULL,
        record_id uuid NOT NULL,
        version bigint NOT NULL,
        terms jsonb NOT NULL,
        settled boolean NOT NULL
    )
    """,
    "CREATE INDEX narrowed_child_idx ON narrowed (child_id) WHERE NOT settled",
    "CREATE TABLE consent_order (consent_id uuid PRIMARY KEY, ordinal bigint NOT NULL)",
    """
    CREATE TABLE deadline (
        record_id uuid NOT NULL,
        kind text NOT NULL,
        child_id uuid NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (record_id, kind)
    )
    """,
    "CREATE INDEX deadline_at_idx ON deadline (at)",
    "CREATE TABLE agreement (agreement_id uuid PRIMARY KEY, key text NOT NULL UNIQUE, content bytea)",
    """
    CREATE TABLE blocked_client (
        client_id text PRIMARY KEY,
        reason text NOT NULL,
        blocked_by text NOT NULL,
        blocked_at timestamptz
    )
    """,
    """
    CREATE TABLE grant_set (
        subject uuid PRIMARY KEY,
        epoch bigint NOT NULL,
        version bigint NOT NULL,
        message bytea NOT NULL,
        narrowed_epoch bigint NOT NULL,
        narrowed_version bigint NOT NULL,
        acked_epoch bigint NOT NULL,
        acked_version bigint NOT NULL,
        acked_incarnation text NOT NULL
    )
    """,
    "CREATE INDEX grant_set_unacked_idx ON grant_set (subject) WHERE (acked_epoch, acked_version) < (epoch, version)",
    "CREATE TABLE recompile (child_id uuid PRIMARY KEY)",
    """
    CREATE TABLE narrowing (
        narrowing_id uuid PRIMARY KEY,
        subject uuid NOT NULL,
        kind text NOT NULL,
        record_id uuid,
        epoch bigint NOT NULL,
        version bigint NOT NULL,
        recorded_at timestamptz NOT NULL,
        journaled_at timestamptz,
        enforced_at timestamptz,
        answered_at timestamptz
    )
    """,
    "CREATE INDEX narrowing_open_idx ON narrowing (subject) WHERE enforced_at IS NULL",
    "CREATE INDEX narrowing_unjournaled_idx ON narrowing (narrowing_id) WHERE journaled_at IS NULL",
    "CREATE INDEX narrowing_record_idx ON narrowing (record_id)",
    "CREATE TABLE standing (one boolean PRIMARY KEY CHECK (one), epoch bigint NOT NULL, incarnation text NOT NULL)",
    "INSERT INTO standing VALUES (true, 1, '')",
)

_GRANTS = {
    "fact": "SELECT, INSERT, UPDATE",
    "narrowed": "SELECT, INSERT, UPDATE (settled)",
    "consent_order": "SELECT, INSERT, UPDATE",
    "deadline": "SELECT, INSERT, UPDATE, DELETE",
    "agreement": "SELECT, INSERT, UPDATE, DELETE",
    "blocked_client": "SELECT, INSERT, UPDATE, DELETE",
    "grant_set": "SELECT, INSERT, UPDATE",
    "recompile": "SELECT, INSERT, DELETE",
    "narrowing": "SELECT, INSERT, UPDATE (journaled_at, enforced_at, answered_at)",
    "standing": "SELECT, UPDATE",
}


def upgrade() -> None:
    """Makes them, and lets the app role use them."""
    create_common(op)
    for statement in _DDL:
        op.execute(statement)
    for table, rights in _GRANTS.items():
        grant(op, table, rights)
    for sequence in ("grant_version", "consent_ordinal"):
        op.execute(f'GRANT USAGE ON SEQUENCE {sequence} TO "{app_role(op)}"')


def downgrade() -> None:
    """There is no way back: versions are kept."""
    raise NotImplementedError("Restore a backup instead.")
