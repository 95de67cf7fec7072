"""Who was given what: rows, and the chain that seals them."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid, false
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ecm.exchange.tables.base import at, metadata

# One row per authenticated request. Append-only: the app role may neither update nor delete.
audit = Table(
    "audit",
    metadata,
    Column("writer", Uuid, primary_key=True),
    # Gapless per writer, from 1.
    Column("n", BigInteger, primary_key=True),
    at("at"),
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
    at("began_at", now=True),
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
    at("sealed_at", now=True),
    UniqueConstraint("writer", "n", name="audit_seal_row_key"),
)

# Signed states of the chain, copied outside of PostgreSQL. Append-only.
audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("chain", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    at("at"),
)
