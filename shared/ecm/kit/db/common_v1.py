"""Version 1 of the tables that every service has, for its first migration.

Frozen: a later change is a `common_v2` and a migration in each service. A test
holds what all versions make equal to `ecm.kit.db.tables`.
"""

from ecm.kit.db.grants import Op, grant

_DDL = (
    """
    CREATE TABLE record (
        record_id uuid PRIMARY KEY,
        kind text NOT NULL,
        child_id uuid NOT NULL,
        case_id uuid,
        yot text NOT NULL,
        version bigint NOT NULL,
        closed boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX record_child_idx ON record (child_id, kind)",
    "CREATE INDEX record_case_idx ON record (case_id, kind) WHERE case_id IS NOT NULL",
    "CREATE INDEX record_kind_idx ON record (kind, yot)",
    """
    CREATE TABLE record_version (
        record_id uuid NOT NULL REFERENCES record (record_id),
        version bigint NOT NULL,
        message_type text NOT NULL,
        content bytea NOT NULL,
        closed boolean NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        recorded_agency text NOT NULL,
        recorded_practitioner text NOT NULL DEFAULT '',
        reason text NOT NULL DEFAULT '',
        traceparent text NOT NULL,
        PRIMARY KEY (record_id, version)
    )
    """,
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id uuid NOT NULL UNIQUE,
        key text NOT NULL,
        type text NOT NULL,
        value bytea NOT NULL,
        traceparent text NOT NULL,
        created_at timestamptz NOT NULL,
        published_at timestamptz
    )
    """,
    "CREATE INDEX outbox_waiting_idx ON outbox (id) WHERE published_at IS NULL",
    "CREATE INDEX outbox_published_idx ON outbox (published_at) WHERE published_at IS NOT NULL",
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id text NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (consumer, event_id)
    )
    """,
    "CREATE INDEX inbox_received_idx ON inbox (received_at)",
    """
    CREATE TABLE idempotency (
        principal text NOT NULL,
        method text NOT NULL,
        key text NOT NULL,
        request_hash bytea NOT NULL,
        response bytea,
        error bytea,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (principal, method, key)
    )
    """,
    "CREATE INDEX idempotency_created_idx ON idempotency (created_at)",
    """
    CREATE TABLE narrowing_intent (
        intent_id uuid PRIMARY KEY,
        kind text NOT NULL,
        payload bytea NOT NULL,
        principal text NOT NULL,
        traceparent text NOT NULL,
        created_at timestamptz NOT NULL,
        done_at timestamptz,
        failed_at timestamptz,
        ref bytea,
        error bytea
    )
    """,
    "CREATE INDEX narrowing_intent_open_idx ON narrowing_intent (created_at)"
    " WHERE done_at IS NULL AND failed_at IS NULL",
)

_GRANTS = {
    "record": "SELECT, INSERT, UPDATE (version, closed)",
    "record_version": "SELECT, INSERT",
    "outbox": "SELECT, INSERT, UPDATE (published_at), DELETE",
    "inbox": "SELECT, INSERT, DELETE",
    "idempotency": "SELECT, INSERT, UPDATE (response, error), DELETE",
    "narrowing_intent": "SELECT, INSERT, UPDATE (done_at, failed_at, ref, error)",
}


def create_common(op: Op) -> None:
    """Makes the common tables and grants the app role what it needs of each, and no more."""
    for statement in _DDL:
        op.execute(statement)
    for table, rights in _GRANTS.items():
        grant(op, table, rights)
