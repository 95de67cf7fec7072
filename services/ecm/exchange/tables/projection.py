"""Which children and records are held, and how far each has come."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, Uuid, false, text
from sqlalchemy.dialects.postgresql import ARRAY

from ecm.exchange.tables.base import at, metadata

# A child is here only after its first grant.
projected_child = Table(
    "projected_child",
    metadata,
    Column("child_id", Uuid, primary_key=True),
    Column("yot", Text, nullable=False, server_default=text("''")),
    at("first_granted_at", now=True),
    at("fetched_at", nullable=True),
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

# Children who are to be looked at; NOTIFY ecm_fetch wakes the worker.
fetch_queue = Table(
    "fetch_queue",
    metadata,
    Column("child_id", Uuid, primary_key=True),
    at("requested_at", now=True),
    # Under which ids what changed stands; NULL: all of the child.
    Column("records", ARRAY(Uuid)),
)
