"""The table of `formulation` beside the common ones. Its DDL stands in `migrations/`."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text, Uuid

metadata = MetaData()

# Cases of `referrals`, at the newest version that was heard of. `state` is a CaseState; ids and a state, no details.
known_case = Table(
    "known_case",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("child_id", Uuid, nullable=False),
    Column("yot", Text, nullable=False),
    Column("state", Integer, nullable=False),
    Column("erased", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
)
