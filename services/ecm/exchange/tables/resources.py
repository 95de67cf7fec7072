"""Resources as they are served, every version of them, and what they are found by."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ecm.exchange.tables.base import NO_TEXTS, at, metadata

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
    Column("categories", ARRAY(Text), nullable=False, server_default=NO_TEXTS),
    # An agency: nobody else finds it.
    Column("only_for", Text),
    Column("version_id", Text, nullable=False),
    at("last_updated"),
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
    Column("categories", ARRAY(Text), nullable=False, server_default=NO_TEXTS),
    Column("only_for", Text),
    at("last_updated"),
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
    at("lo"),
    at("hi"),
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
