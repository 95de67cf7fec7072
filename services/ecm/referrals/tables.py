"""The table of `referrals` beside the common ones. Its DDL stands in `migrations/`."""

from sqlalchemy import Column, Index, MetaData, Table, Text, Uuid

metadata = MetaData()

# Identifiers of children as they are now, for search and so that none is given twice within a YOT (checklist 44).
child_identifier = Table(
    "child_identifier",
    metadata,
    Column("yot", Text, primary_key=True),
    # nhs-number or local-case-number
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("child_id", Uuid, nullable=False),
    Index("child_identifier_child_idx", "child_id"),
)
