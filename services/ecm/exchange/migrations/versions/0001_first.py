"""The exchange's first tables and functions. Frozen: later changes are later migrations.

The functions are written by `ecm.exchange.disclosure.disclose_sql`, each CREATE OR REPLACE:
a migration that changes the predicate executes them again.
"""

from alembic import op

from ecm.exchange.disclosure.disclose_sql import functions
from ecm.kit.db.common_v1 import create_common
from ecm.kit.db.grants import grant, grant_execute

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("resource_version", "audit", "audit_seal", "audit_checkpoint")
REPLACED = (
    *("projected_child", "grant_set", "grants", "withheld", "line", "client"),
    *("resource", "search_token", "search_date", "search_reference", "search_string"),
    *("projected_record", "fetch_queue", "told", "dataref", "event_counter", "partner_outbox", "audit_writer"),
)

TABLES = """
CREATE TABLE audit (
  writer uuid NOT NULL,
  n bigint NOT NULL,
  at timestamptz NOT NULL,
  client text NOT NULL,
  agency text NOT NULL,
  purpose text NOT NULL,
  interaction text NOT NULL,
  shape text NOT NULL,
  asked bytea[] NOT NULL,
  disclosed jsonb NOT NULL,
  child_ids uuid[] NOT NULL,
  grants_version bigint NOT NULL,
  outcome text NOT NULL,
  asserted_user text,
  trace_id text NOT NULL,
  salt bytea NOT NULL,
  digest bytea NOT NULL,
  PRIMARY KEY (writer, n)
);
CREATE INDEX audit_asked_idx ON audit USING gin (asked);
CREATE INDEX audit_child_idx ON audit USING gin (child_ids);
CREATE TABLE audit_checkpoint (
  seq bigint NOT NULL,
  chain bytea NOT NULL,
  signature bytea NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (seq)
);
CREATE TABLE audit_seal (
  seq bigint NOT NULL,
  writer uuid NOT NULL,
  n bigint NOT NULL,
  digest bytea NOT NULL,
  chain bytea NOT NULL,
  sealed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  PRIMARY KEY (seq),
  CONSTRAINT audit_seal_row_key UNIQUE (writer, n)
);
CREATE TABLE audit_writer (
  writer uuid NOT NULL,
  began_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  ended boolean DEFAULT false NOT NULL,
  PRIMARY KEY (writer)
);
CREATE TABLE client (
  client_id text NOT NULL,
  agency text NOT NULL,
  purpose text NOT NULL,
  blocked boolean DEFAULT false NOT NULL,
  topic boolean DEFAULT false NOT NULL,
  PRIMARY KEY (client_id)
);
CREATE TABLE dataref (
  token text NOT NULL,
  client_id text NOT NULL,
  type text NOT NULL,
  id uuid NOT NULL,
  PRIMARY KEY (token),
  CONSTRAINT dataref_resource_key UNIQUE (client_id, type, id)
);
CREATE TABLE event_counter (
  client_id text NOT NULL,
  key text NOT NULL,
  n bigint NOT NULL,
  PRIMARY KEY (client_id, key)
);
CREATE TABLE exchange_state (
  one boolean DEFAULT true NOT NULL,
  incarnation uuid DEFAULT gen_random_uuid() NOT NULL,
  generation uuid DEFAULT gen_random_uuid() NOT NULL,
  region_epoch bigint DEFAULT 0 NOT NULL,
  region_version bigint DEFAULT 0 NOT NULL,
  PRIMARY KEY (one)
);
CREATE TABLE fetch_queue (
  child_id uuid NOT NULL,
  requested_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  PRIMARY KEY (child_id)
);
CREATE TABLE grant_set (
  child_id uuid NOT NULL,
  epoch bigint NOT NULL,
  version bigint NOT NULL,
  applied_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  PRIMARY KEY (child_id)
);
CREATE TABLE grants (
  pk bigint GENERATED ALWAYS AS IDENTITY,
  child_id uuid NOT NULL,
  recipient text NOT NULL,
  case_id uuid,
  category text,
  record_id uuid,
  patient boolean DEFAULT false NOT NULL,
  purposes text[] DEFAULT '{}'::text[] NOT NULL,
  view smallint NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz DEFAULT 'infinity'::timestamptz NOT NULL,
  line_id uuid,
  override_id uuid,
  basis text NOT NULL,
  PRIMARY KEY (pk)
);
CREATE INDEX grants_child_idx ON grants (child_id, recipient);
CREATE INDEX grants_recipient_idx ON grants (recipient);
CREATE TABLE line (
  line_id uuid NOT NULL,
  recipient text NOT NULL,
  category text NOT NULL,
  purposes text[] DEFAULT '{}'::text[] NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz DEFAULT 'infinity'::timestamptz NOT NULL,
  agreement text NOT NULL,
  legal_basis text NOT NULL,
  PRIMARY KEY (line_id)
);
CREATE TABLE partner_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  client_id text NOT NULL,
  generation uuid NOT NULL,
  sequence bigint NOT NULL,
  key text NOT NULL,
  event_type text NOT NULL,
  token text NOT NULL,
  event_id uuid NOT NULL,
  created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  published_at timestamptz,
  PRIMARY KEY (id),
  UNIQUE (event_id)
);
CREATE INDEX partner_outbox_waiting_idx ON partner_outbox (id) WHERE published_at IS NULL;
CREATE TABLE projected_child (
  child_id uuid NOT NULL,
  yot text DEFAULT '' NOT NULL,
  first_granted_at timestamptz DEFAULT clock_timestamp() NOT NULL,
  fetched_at timestamptz,
  PRIMARY KEY (child_id)
);
CREATE TABLE projected_record (
  record_id uuid NOT NULL,
  child_id uuid NOT NULL,
  service text NOT NULL,
  kind text NOT NULL,
  known_version bigint DEFAULT 0 NOT NULL,
  projected_version bigint DEFAULT 0 NOT NULL,
  hidden boolean DEFAULT false NOT NULL,
  failure text,
  PRIMARY KEY (record_id)
);
CREATE INDEX projected_record_child_idx ON projected_record (child_id);
CREATE TABLE resource (
  pk bigint GENERATED ALWAYS AS IDENTITY,
  type text NOT NULL,
  id uuid NOT NULL,
  view smallint NOT NULL,
  child_id uuid,
  record_id uuid,
  categories text[] DEFAULT '{}'::text[] NOT NULL,
  only_for text,
  version_id text NOT NULL,
  last_updated timestamptz NOT NULL,
  body bytea NOT NULL,
  hidden boolean DEFAULT false NOT NULL,
  PRIMARY KEY (pk),
  CONSTRAINT resource_key UNIQUE (type, id, view)
);
CREATE INDEX resource_child_idx ON resource (child_id);
CREATE INDEX resource_record_idx ON resource (record_id);
CREATE TABLE resource_version (
  type text NOT NULL,
  id uuid NOT NULL,
  view smallint NOT NULL,
  version_id text NOT NULL,
  child_id uuid,
  record_id uuid,
  categories text[] DEFAULT '{}'::text[] NOT NULL,
  only_for text,
  last_updated timestamptz NOT NULL,
  body bytea NOT NULL,
  deleted boolean DEFAULT false NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (type, id, view, version_id)
);
CREATE INDEX resource_version_child_idx ON resource_version (child_id);
CREATE TABLE told (
  client_id text NOT NULL,
  type text NOT NULL,
  id uuid NOT NULL,
  version_id text NOT NULL,
  PRIMARY KEY (client_id, type, id)
);
CREATE TABLE withheld (
  child_id uuid NOT NULL,
  record_id uuid NOT NULL,
  PRIMARY KEY (child_id, record_id)
);
CREATE TABLE search_date (
  resource_pk bigint NOT NULL,
  param text NOT NULL,
  lo timestamptz NOT NULL,
  hi timestamptz NOT NULL,
  FOREIGN KEY(resource_pk) REFERENCES resource (pk) ON DELETE CASCADE
);
CREATE INDEX search_date_lo_idx ON search_date (param, lo, resource_pk);
CREATE INDEX search_date_resource_idx ON search_date (resource_pk);
CREATE TABLE search_reference (
  resource_pk bigint NOT NULL,
  param text NOT NULL,
  target_type text NOT NULL,
  target_id text NOT NULL,
  FOREIGN KEY(resource_pk) REFERENCES resource (pk) ON DELETE CASCADE
);
CREATE INDEX search_reference_resource_idx ON search_reference (resource_pk);
CREATE INDEX search_reference_target_idx ON search_reference (param, target_id, target_type, resource_pk);
CREATE TABLE search_string (
  resource_pk bigint NOT NULL,
  param text NOT NULL,
  value text NOT NULL,
  FOREIGN KEY(resource_pk) REFERENCES resource (pk) ON DELETE CASCADE
);
CREATE INDEX search_string_resource_idx ON search_string (resource_pk);
CREATE INDEX search_string_value_idx ON search_string (param, value text_pattern_ops, resource_pk);
CREATE TABLE search_token (
  resource_pk bigint NOT NULL,
  param text NOT NULL,
  system text DEFAULT '' NOT NULL,
  code text NOT NULL,
  FOREIGN KEY(resource_pk) REFERENCES resource (pk) ON DELETE CASCADE
);
CREATE INDEX search_token_code_idx ON search_token (param, code, system, resource_pk);
CREATE INDEX search_token_resource_idx ON search_token (resource_pk);
"""


def upgrade() -> None:
    """Makes everything."""
    create_common(op)
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    op.execute("INSERT INTO exchange_state DEFAULT VALUES")
    for function in functions():
        op.execute(function)
    _grant()


def _grant() -> None:
    """The app role: no DDL, and nothing but INSERT and SELECT on what is append-only."""
    for table in REPLACED:
        grant(op, table, "SELECT, INSERT, UPDATE, DELETE")
    for table in APPEND_ONLY:
        grant(op, table, "SELECT, INSERT")
    # Which database this is, only the owner says (restore, failover).
    grant(op, "exchange_state", "SELECT, UPDATE (region_epoch, region_version)")
    for signature in ("audit_digest(audit)", "audit_append(audit)", "disclose(text, uuid, bigint, jsonb)"):
        grant_execute(op, signature)


def downgrade() -> None:
    """There is no way back from the first."""
    raise NotImplementedError("Restore a backup.")
