"""The tables of `monitoring` beside the common ones. Their DDL stands in `migrations/`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

metadata = MetaData()

# Records of `referrals` and `formulation` that were heard of, at the version whose facts are kept.
heard = Table(
    "heard",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("child_id", Uuid, nullable=False),
    # A case's own id where the record is the case.
    Column("case_id", Uuid, nullable=False),
    Column("yot", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False),
    Index("heard_case_idx", "case_id", "kind"),
    Index("heard_yot_idx", "yot", "kind"),
)

# What they tell, without words or names (model/facts.py).
fact = Table(
    "fact",
    metadata,
    Column("record_id", Uuid, ForeignKey("heard.record_id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("on_day", Date, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("value", Integer, nullable=False, server_default=text("0")),
    Column("due", Date),
    Column("meeting_id", Text, nullable=False, server_default=text("''")),
)

# Which caseload record is that of a YOT and a period.
caseload_period = Table(
    "caseload_period",
    metadata,
    Column("yot", Text, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, primary_key=True),
    Column("record_id", Uuid, nullable=False),
)

# That a supervision took place. No record: records are streamed, and this never is (checklist 216).
# Not even who: day, length and kind are all that is kept.
supervision = Table(
    "supervision",
    metadata,
    Column("supervision_id", Uuid, primary_key=True),
    Column("yot", Text, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("in_group", Boolean, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("supervision_yot_idx", "yot", "held_on"),
)
