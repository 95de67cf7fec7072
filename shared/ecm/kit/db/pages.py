"""Answers that stay below gRPC's limit: versions page by page, bounded in bytes, whatever documents they hold."""

from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, select

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.kit.db.tables import record_version

PAGE_BYTES: Final = 4 * 1024 * 1024
"""A page ends once its contents reach this; its last document comes on top."""


class Page(NamedTuple):
    """Some versions, in order; where `more` is false they are the last ones."""

    versions: list[RecordVersion]
    more: bool

    @property
    def next_page_token(self) -> str:
        """Where the next page of a child's records begins; empty after the last."""
        return self.versions[-1].record_id if self.more else ""


def bounded(query: Select[Any], *order: str) -> Select[Any]:
    """The query's first rows in that order, up to a page, each with the number of all (`total`).

    Sizes are known without reading the contents; those of later pages stay where they are.
    """
    size = func.octet_length(record_version.c.content)
    columns = {column.name: column for column in query.selected_columns}
    before = func.sum(size).over(order_by=[columns[name] for name in order]) - size
    measured = query.add_columns(before.label("before"), func.count().over().label("total")).subquery()
    rows = select(measured).where(measured.c.before < PAGE_BYTES)
    return rows.order_by(*(measured.c[name] for name in order))
