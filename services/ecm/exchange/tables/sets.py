"""What `consent` sends and the exchange enforces, each replaced as a whole set."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ecm.exchange.tables.base import NO_END, NO_TEXTS, at, metadata

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

# The (epoch, version) at which a child's grants stand.
grant_set = Table(
    "grant_set",
    metadata,
    Column("child_id", Uuid, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    at("applied_at", now=True),
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
    Column("purposes", ARRAY(Text), nullable=False, server_default=NO_TEXTS),
    Column("view", SmallInteger, nullable=False),
    at("valid_from"),
    Column("valid_until", DateTime(timezone=True), nullable=False, server_default=NO_END),
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
    Column("purposes", ARRAY(Text), nullable=False, server_default=NO_TEXTS),
    at("valid_from"),
    Column("valid_until", DateTime(timezone=True), nullable=False, server_default=NO_END),
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
