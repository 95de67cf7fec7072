"""Tables of `consent` beside the common ones. Their DDL stands in migrations/versions."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, LargeBinary, MetaData, Sequence, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
GRANT_VERSION = Sequence("grant_version", metadata=metadata)
CONSENT_ORDINAL = Sequence("consent_ordinal", metadata=metadata)


def _at(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


# Records of other services, as far as the rules need them, at the newest version known here.
fact = Table(
    "fact",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("child_id", Uuid, nullable=False),
    Column("case_id", Uuid),
    Column("yot", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("terms", JSONB, nullable=False),
)

# Narrowings of other services; unsettled ones overlay the facts until a version of the record shows them.
narrowed = Table(
    "narrowed",
    metadata,
    Column("narrowing_id", Uuid, primary_key=True),
    Column("child_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("record_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("settled", Boolean, nullable=False),
)

# The order in which consents came to their present state: by versions, never by clocks.
consent_order = Table(
    "consent_order",
    metadata,
    Column("consent_id", Uuid, primary_key=True),
    Column("ordinal", BigInteger, nullable=False),
)

# What ends or falls due by itself, for the sweeper.
deadline = Table(
    "deadline",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("child_id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# Agreements that haven't ended, by key; `content` is the version in force, None before the first approval.
agreement = Table(
    "agreement",
    metadata,
    Column("agreement_id", Uuid, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("content", LargeBinary),
)

blocked_client = Table(
    "blocked_client",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("blocked_by", Text, nullable=False),
    _at("blocked_at"),
)

# The newest set of each subject: a child, or the region (the nil UUID), and what the exchange acknowledged of it.
grant_set = Table(
    "grant_set",
    metadata,
    Column("subject", Uuid, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    # ApplyGrantsRequest or ApplyRegionRequest without epoch and version.
    Column("message", LargeBinary, nullable=False),
    # The newest set that took something away.
    Column("narrowed_epoch", BigInteger, nullable=False),
    Column("narrowed_version", BigInteger, nullable=False),
    Column("acked_epoch", BigInteger, nullable=False),
    Column("acked_version", BigInteger, nullable=False),
    Column("acked_incarnation", Text, nullable=False),
)

# Children whose set is to be compiled anew, since an agreement changed.
recompile = Table("recompile", metadata, Column("child_id", Uuid, primary_key=True))

# Every narrowing and its moments: R, journal, E, A.
narrowing = Table(
    "narrowing",
    metadata,
    Column("narrowing_id", Uuid, primary_key=True),
    Column("subject", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("record_id", Uuid),
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    _at("journaled_at"),
    _at("enforced_at"),
    _at("answered_at"),
)

# One row: the epoch of our sets, and the incarnation of the exchange's database that last acknowledged one:
# the how manieth it is, and up to which of them the leases of all earlier ones are certainly over.
standing = Table(
    "standing",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("incarnation", Text, nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    Column("alone", BigInteger, nullable=False),
)
