"""The tables that every service has (docs/architecture.md). Their DDL is `common_v1`; a test holds both equal."""

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
    Table,
    Text,
    Uuid,
    false,
    text,
)

metadata = MetaData()


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


# The head of a record: where it belongs, and its newest version. Locked while that changes.
record = Table(
    "record",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("child_id", Uuid, nullable=False),
    Column("case_id", Uuid),
    Column("yot", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False, server_default=false()),
    _at("created_at"),
    Index("record_child_idx", "child_id", "kind"),
    Index("record_case_idx", "case_id", "kind", postgresql_where=text("case_id IS NOT NULL")),
    Index("record_kind_idx", "kind", "yot"),
)

# Every version of every record. Append-only: the app role may neither update nor delete.
record_version = Table(
    "record_version",
    metadata,
    Column("record_id", Uuid, ForeignKey("record.record_id"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("message_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("closed", Boolean, nullable=False),
    _at("recorded_at"),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_agency", Text, nullable=False),
    # The professional whom a partner's client asserted, where the exchange forwarded the command.
    Column("recorded_practitioner", Text, nullable=False, server_default=text("''")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("traceparent", Text, nullable=False),
)

# Events to publish, in the transaction of what they tell. The relay publishes by `id`.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("traceparent", Text, nullable=False),
    _at("created_at"),
    _at("published_at", nullable=True),
    Index("outbox_waiting_idx", "id", postgresql_where=text("published_at IS NULL")),
    Index("outbox_published_idx", "published_at", postgresql_where=text("published_at IS NOT NULL")),
)

# Events whose effect is here already, per consumer.
inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    _at("received_at"),
    Index("inbox_received_idx", "received_at"),
)

# What a command with this key was answered; no bodies beyond id, version or error.
idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary),
    Column("error", LargeBinary),
    _at("created_at"),
    Index("idempotency_created_idx", "created_at"),
)

# Narrowings recorded here before `consent` was asked (ecm.kit.narrowing).
narrowing_intent = Table(
    "narrowing_intent",
    metadata,
    Column("intent_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("principal", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    _at("created_at"),
    _at("done_at", nullable=True),
    _at("failed_at", nullable=True),
    Column("ref", LargeBinary),
    Column("error", LargeBinary),
    Index(
        "narrowing_intent_open_idx",
        "created_at",
        postgresql_where=text("done_at IS NULL AND failed_at IS NULL"),
    ),
)
