"""The one MetaData, and what many columns have in common."""

from sqlalchemy import Column, DateTime, MetaData, func, text

metadata = MetaData()

NO_TEXTS = text("'{}'::text[]")
NO_END = text("'infinity'::timestamptz")


def at(name: str, *, nullable: bool = False, now: bool = False) -> Column[object]:
    """An instant; `now`: by default the clock's."""
    default = func.clock_timestamp() if now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)
