"""The exchange's own tables. Their DDL stands in `migrations/`; a test holds both equal.

Instants are UTC; `infinity` stands for "no end". `view` is a rank: 1 minimum, 2 unprotected, 3 full.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

_NO_TEXTS = text("'{}'::text[]")
_NO_END = text("'infinity'::timestamptz")


def _at(name: str, *, nullable: bool = False, now: bool = False) -> Column[object]:
    default = func.clock_timestamp() if now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


# One row: which database this is, and which region set it has.
exchange_state = Table(
    "exchange_state",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=true()),
    # New after every restore or failover: leases, audit writers and event generations end with it.
    Column("incarnation", Uuid, nullable=False, server_default=func.gen_random_uuid()),
    Column("generation", Uuid, nullable=False, server_default=func.gen_random_uuid()),
    Column("region_epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("region_version", BigInteger, nullable=False, server_default=text("0")),
)

# A child is here only after its first grant.
projected_child = Table(
    "projected_child",
    metadata,
    Column("child_id", Uuid, primary_key=True),
    Column("yot", Text, nullable=False, server_default=text("''")),
    _at("first_granted_at", now=True),
    _at("fetched_at", nullable=True),
)

# The (epoch, version) at which a child's grants stand.
grant_set = Table(
    "grant_set",
    metadata,
    Column("child_id", Uuid, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    _at("applied_at", now=True),
)

# What `consent` opens, replaced as one set per child.
grants = Table(
    "grants",
    metadata,
    Column("pk", BigInteger, Identity(always=True), primary_key=True),
    Column("child_id", Uuid, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("case_id", Uuid),
    Column("category", Text),
    Column("record_id", Uuid),
    Column("patient", Boolean, nullable=False, server_default=false()),
    # Empty: every purpose.
    Column("purposes", ARRAY(Text), nullable=False, server_default=_NO_TEXTS),
    Column("view", SmallInteger, nullable=False),
    _at("valid_from"),
    Column("valid_until", DateTime(timezone=True), nullable=False, server_default=_NO_END),
    Column("line_id", Uuid),
    Column("override_id", Uuid),
    Column("basis", Text, nullable=False),
    Index("grants_child_idx", "child_id", "recipient"),
    Index("grants_recipient_idx", "recipient"),
)

# Records shown to nobody.
withheld = Table(
    "withheld",
    metadata,
    Column("child_id", Uuid, primary_key=True),
    Column("record_id", Uuid, primary_key=True),
)

# Lines of the agreements in force, replaced as one set of the region.
line = Table(
    "line",
    metadata,
    Column("line_id", Uuid, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("purposes", ARRAY(Text), nullable=False, server_default=_NO_TEXTS),
    _at("valid_from"),
    Column("valid_until", DateTime(timezone=True), nullable=False, server_default=_NO_END),
    Column("agreement", Text, nullable=False),
    Column("legal_basis", Text, nullable=False),
)

# Partners' systems, replaced with the lines.
client = Table(
    "client",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("agency", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("blocked", Boolean, nullable=False, server_default=false()),
    Column("topic", Boolean, nullable=False, server_default=false()),
)

# Current resources, once per view, as the very bytes that are served.
resource = Table(
    "resource",
    metadata,
    Column("pk", BigInteger, Identity(always=True), primary_key=True),
    Column("type", Text, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("view", SmallInteger, nullable=False),
    # NULL: directory, everybody's.
    Column("child_id", Uuid),
    Column("record_id", Uuid),
    Column("categories", ARRAY(Text), nullable=False, server_default=_NO_TEXTS),
    # An agency: nobody else finds it.
    Column("only_for", Text),
    Column("version_id", Text, nullable=False),
    _at("last_updated"),
    Column("body", LargeBinary, nullable=False),
    Column("hidden", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("type", "id", "view", name="resource_key"),
    Index("resource_child_idx", "child_id"),
    Index("resource_record_idx", "record_id"),
)

# Every version served. Append-only: the app role may neither update nor delete.
resource_version = Table(
    "resource_version",
    metadata,
    Column("type", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("view", SmallInteger, primary_key=True),
    Column("version_id", Text, primary_key=True),
    Column("child_id", Uuid),
    Column("record_id", Uuid),
    Column("categories", ARRAY(Text), nullable=False, server_default=_NO_TEXTS),
    Column("only_for", Text),
    _at("last_updated"),
    Column("body", LargeBinary, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Index("resource_version_child_idx", "child_id"),
)


def _resource_pk() -> Column[object]:
    return Column("resource_pk", BigInteger, ForeignKey("resource.pk", ondelete="CASCADE"), nullable=False)


search_token = Table(
    "search_token",
    metadata,
    _resource_pk(),
    Column("param", Text, nullable=False),
    Column("system", Text, nullable=False, server_default=text("''")),
    Column("code", Text, nullable=False),
    Index("search_token_code_idx", "param", "code", "system", "resource_pk"),
    Index("search_token_resource_idx", "resource_pk"),
)

search_date = Table(
    "search_date",
    metadata,
    _resource_pk(),
    Column("param", Text, nullable=False),
    # Half open: lo <= instant < hi; -infinity and infinity where an end is missing.
    _at("lo"),
    _at("hi"),
    Index("search_date_lo_idx", "param", "lo", "resource_pk"),
    Index("search_date_resource_idx", "resource_pk"),
)

search_reference = Table(
    "search_reference",
    metadata,
    _resource_pk(),
    Column("param", Text, nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Index("search_reference_target_idx", "param", "target_id", "target_type", "resource_pk"),
    Index("search_reference_resource_idx", "resource_pk"),
)

search_string = Table(
    "search_string",
    metadata,
    _resource_pk(),
    Column("param", Text, nullable=False),
    Column("value", Text, nullable=False),
    Index("search_string_value_idx", "param", "value", "resource_pk", postgresql_ops={"value": "text_pattern_ops"}),
    Index("search_string_resource_idx", "resource_pk"),
)

# How far each record of a projected child has come.
projected_record = Table(
    "projected_record",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("child_id", Uuid, nullable=False),
    Column("service", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("known_version", BigInteger, nullable=False, server_default=text("0")),
    Column("projected_version", BigInteger, nullable=False, server_default=text("0")),
    Column("hidden", Boolean, nullable=False, server_default=false()),
    # The error's class, never its message.
    Column("failure", Text),
    Index("projected_record_child_idx", "child_id"),
)

# Children whose records are to be fetched; NOTIFY ecm_fetch wakes the worker.
fetch_queue = Table(
    "fetch_queue",
    metadata,
    Column("child_id", Uuid, primary_key=True),
    _at("requested_at", now=True),
)

# What a client's topic calls available now.
told = Table(
    "told",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("version_id", Text, nullable=False),
)

# The random part of an event's URL: one per client and resource.
dataref = Table(
    "dataref",
    metadata,
    Column("token", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("id", Uuid, nullable=False),
    UniqueConstraint("client_id", "type", "id", name="dataref_resource_key"),
)

# The last number given out per client and key.
event_counter = Table(
    "event_counter",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

# Partners' events: once numbered, always sent.
partner_outbox = Table(
    "partner_outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("generation", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("event_id", Uuid, nullable=False, unique=True),
    _at("created_at", now=True),
    _at("published_at", nullable=True),
    Index("partner_outbox_waiting_idx", "id", postgresql_where=text("published_at IS NULL")),
)

# One row per authenticated request. Append-only: the app role may neither update nor delete.
audit = Table(
    "audit",
    metadata,
    Column("writer", Uuid, primary_key=True),
    # Gapless per writer, from 1.
    Column("n", BigInteger, primary_key=True),
    _at("at"),
    Column("client", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("interaction", Text, nullable=False),
    # The request without values, e.g. GET Patient?identifier.
    Column("shape", Text, nullable=False),
    # Keyed HMACs of each id and identifier asked for.
    Column("asked", ARRAY(LargeBinary), nullable=False),
    # [{child, view, grants, basis, resources: [type/id/version]}]
    Column("disclosed", JSONB, nullable=False),
    Column("child_ids", ARRAY(Uuid), nullable=False),
    Column("grants_version", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("asserted_user", Text),
    Column("trace_id", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Index("audit_asked_idx", "asked", postgresql_using="gin"),
    Index("audit_child_idx", "child_ids", postgresql_using="gin"),
)

# One database connection that writes audit rows, one call at a time; `ended` once it is gone and all is sealed.
audit_writer = Table(
    "audit_writer",
    metadata,
    Column("writer", Uuid, primary_key=True),
    _at("began_at", now=True),
    Column("ended", Boolean, nullable=False, server_default=false()),
)

# The chain over committed audit rows, a run of a writer's at a time. Append-only.
audit_seal = Table(
    "audit_seal",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("writer", Uuid, nullable=False),
    # Of the run's last row.
    Column("n", BigInteger, nullable=False),
    # Of each row of the run, 32 bytes each; so many rows has it.
    Column("digests", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    _at("sealed_at", now=True),
    UniqueConstraint("writer", "n", name="audit_seal_row_key"),
)

# Signed states of the chain, copied outside of PostgreSQL. Append-only.
audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("chain", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    _at("at"),
)

APPEND_ONLY = ("resource_version", "audit", "audit_seal", "audit_checkpoint")
"""Tables on which the app role has INSERT and SELECT alone."""
