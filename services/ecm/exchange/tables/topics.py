"""What partners' topics were told, and what waits to be sent."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, UniqueConstraint, Uuid, text

from ecm.exchange.tables.base import at, metadata

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
    at("created_at", now=True),
    at("published_at", nullable=True),
    Index("partner_outbox_waiting_idx", "id", postgresql_where=text("published_at IS NULL")),
)
