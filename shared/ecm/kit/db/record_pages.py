"""Records as another service fetches them: versions on the wire, in order, a page at a time."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, any_, bindparam, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.kit.db.changes import change_of
from ecm.kit.db.direct import Direct
from ecm.kit.db.pages import Page, bounded
from ecm.kit.db.tables import record, record_version
from ecm.kit.db.transaction import Transaction
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid


async def versions(tx: Transaction, record_id: UUID, after: int) -> Page:
    """The versions above `after`. NOT_FOUND where the record isn't one that may be seen."""
    asked = {"record": record_id, "after": after, "yots": _yots(tx)}
    page = _page(await _VERSIONS.all(tx.conn, asked))
    if not page.versions and (await tx.conn.execute(_KNOWN, asked)).first() is None:
        raise not_found(None)
    return page


async def of_child(tx: Transaction, child_id: UUID, page_token: str) -> Page:
    """The newest version of each of the child's records, behind the page that ended with the token."""
    query = newest(tx).where(record.c.child_id == child_id)
    if page_token:
        query = query.where(await _beyond(tx, page_token))
    return _page((await tx.conn.execute(bounded(query, "created_at", "record_id"))).all())


def newest(tx: Transaction) -> Select[Any]:
    """Every record that is in scope, at its newest version."""
    yots = _yots(tx)
    scope = [] if yots is None else [record.c.yot.in_(yots)]
    return _joined().where(record.c.version == record_version.c.version, *scope)


def not_found(kind: str | None) -> DomainError:
    """There is none, or it is a YOT's that the principal can't see."""
    what = kind.lower().replace("_", " ") if kind else "record"
    return DomainError(Reason.NOT_FOUND, f"There is no {what} with this id.")


async def _beyond(tx: Transaction, page_token: str) -> ColumnElement[bool]:
    """Records never go, so that the last one of a page tells where the next begins."""
    last = parse_uuid(page_token, "page_token")
    made = select(record.c.created_at).where(record.c.record_id == last)
    created_at = (await tx.conn.execute(made)).scalar_one_or_none()
    if created_at is None:
        raise DomainError(Reason.INVALID_VALUE, "No page ended there; begin anew.", field="page_token")
    return tuple_(record.c.created_at, record.c.record_id) > tuple_(created_at, last)


def _page(rows: Sequence[Any]) -> Page:
    return Page([_wire(row) for row in rows], more=bool(rows) and rows[0].total > len(rows))


def _yots(tx: Transaction) -> list[str] | None:
    yots = tx.scope.yots
    return None if yots is None else sorted(yots)


def _joined() -> Select[Any]:
    """Heads with versions. The version's `closed` is taken: the head's is that of the newest one."""
    heads = record.join(record_version, record.c.record_id == record_version.c.record_id)
    head = [column for column in record.c if column.name not in ("version", "closed")]
    version = [column for column in record_version.c if column.name != "record_id"]
    return select(*head, *version).select_from(heads)


# Statements of the busiest way, put together once.
_SCOPE = bindparam("yots", type_=ARRAY(Text))
_IN_SCOPE = or_(_SCOPE.is_(None), record.c.yot == any_(_SCOPE))
_KNOWN = select(record.c.record_id).where(record.c.record_id == bindparam("record"), _IN_SCOPE)
_VERSIONS = Direct(
    bounded(
        _joined().where(
            record_version.c.record_id == bindparam("record"), record_version.c.version > bindparam("after"), _IN_SCOPE
        ),
        "version",
    )
)


def _wire(row: Any) -> RecordVersion:
    version = RecordVersion(
        record_id=str(row.record_id),
        child_id=str(row.child_id),
        case_id=str(row.case_id or ""),
        kind=row.kind,
        version=row.version,
        change=change_of(row.version, row.closed),
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        recorded_agency=row.recorded_agency,
        yot=row.yot,
        reason=row.reason,
    )
    version.content.type_url = f"type.googleapis.com/{row.message_type}"
    version.content.value = row.content
    return version
