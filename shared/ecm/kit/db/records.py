"""Records: protobuf documents whose versions are rows, none ever changed or deleted."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from ecm.kit.db import record_pages as pages
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.direct import Direct
from ecm.kit.db.pages import Page
from ecm.kit.db.tables import record, record_version
from ecm.kit.db.transaction import Transaction
from ecm.kit.errors import DomainError, Reason
from ecm.kit.trace import current_trace

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Record(Generic[M]):
    """One record at one version, as read. `child_id` is its own id where it is the child's file."""

    record_id: UUID
    kind: str
    child_id: UUID
    case_id: UUID | None
    yot: str
    version: int
    closed: bool
    content: M
    recorded_at: datetime
    recorded_by: str
    recorded_agency: str
    reason: str


class Records:
    """The records of a service within one transaction, as far as its principal may see them."""

    def __init__(self, tx: Transaction, events: RecordEvents) -> None:
        self._tx = tx
        self._events = events

    async def create(
        self,
        kind: str,
        content: M,
        *,
        child_id: UUID | None,
        case_id: UUID | None = None,
        yot: str,
        record_id: UUID | None = None,
        reason: str = "",
    ) -> Record[M]:
        """Version 1 of a new record. `child_id` None: the record is the child's file itself.

        Errors: PERMISSION_DENIED for a YOT out of scope, INVALID_VALUE for one that
        the region hasn't ("" is region-wide), ALREADY_EXISTS for a taken `record_id`.
        """
        self._check_kind(kind, type(content))
        self._check_yot(yot)
        new_id = record_id or self._tx.ids.uuid()
        made = self._stamped(
            Record(new_id, kind, child_id or new_id, case_id, yot, 1, False, content, *_NOBODY, reason)
        )
        await self._insert_head(made)
        await self._save(made)
        return made

    async def get(
        self, record_id: UUID, message_type: type[M], *, kind: str | None = None, lock: bool = False
    ) -> Record[M]:
        """The record's newest version; `lock` keeps others from changing it until this transaction ends.

        NOT_FOUND where there is none of that kind and message, or it is a YOT's that the principal can't see.
        """
        if lock:
            await self._tx.conn.execute(
                select(record.c.version).where(record.c.record_id == record_id).with_for_update()
            )
        row = (await self._tx.conn.execute(self._newest(message_type).where(record.c.record_id == record_id))).first()
        if row is None or (kind is not None and row.kind != kind):
            raise pages.not_found(kind)
        return _record(row, message_type)

    async def update(
        self,
        record: Record[M],
        content: M,
        *,
        expected_version: int | None = None,
        closed: bool = False,
        reason: str = "",
    ) -> Record[M]:
        """The next version. None is made where the content is the same, byte for byte.

        Errors: VERSION_CONFLICT where `expected_version`, or the version that was
        read, isn't the newest any more; ILLEGAL_TRANSITION on a closed record.
        """
        await self._lock_at(record, expected_version)
        if record.closed:
            raise DomainError(Reason.ILLEGAL_TRANSITION, "The record is closed; it takes no new versions.")
        if not closed and _bytes(content) == _bytes(record.content):
            return record
        fresh = replace(record, content=content, version=record.version + 1, closed=closed, reason=reason)
        made = self._stamped(fresh)
        await self._move_head(made)
        await self._save(made)
        return made

    async def close(self, record: Record[M], *, reason: str) -> Record[M]:
        """Nothing of the record is to be shown any more. Closing it twice changes nothing."""
        if record.closed:
            return record
        return await self.update(record, record.content, closed=True, reason=reason)

    async def list(
        self,
        kind: str,
        message_type: type[M],
        *,
        child_id: UUID | None = None,
        case_id: UUID | None = None,
        include_closed: bool = False,
    ) -> list[Record[M]]:
        """The newest versions of all records of a kind, oldest record first, as far as they are in scope."""
        query = self._newest(message_type).where(record.c.kind == kind)
        if child_id is not None:
            query = query.where(record.c.child_id == child_id)
        if case_id is not None:
            query = query.where(record.c.case_id == case_id)
        if not include_closed:
            query = query.where(record.c.closed.is_(False))
        rows = await self._tx.conn.execute(query.order_by(record.c.created_at, record.c.record_id))
        return [_record(row, message_type) for row in rows]

    async def versions(self, record_id: UUID, after: int) -> Page:
        """The versions above `after`, in order, a page of them.

        NOT_FOUND where the record isn't one that may be seen.
        """
        return await pages.versions(self._tx, record_id, after)

    async def of_child(self, child_id: UUID, page_token: str = "") -> Page:
        """The newest version of each record of the child, closed ones too, oldest record first, a page of them.

        `page_token` is the page before's, empty for the first. INVALID_VALUE for one that no page had.
        """
        return await pages.of_child(self._tx, child_id, page_token)

    def _check_kind(self, kind: str, message_type: type[Message]) -> None:
        if self._events.kinds[kind][1] is not message_type:
            raise TypeError(f"A {kind} holds {self._events.kinds[kind][1].__name__}, not {message_type.__name__}.")

    def _check_yot(self, yot: str) -> None:
        if not self._tx.scope.admits(yot):
            raise DomainError(Reason.PERMISSION_DENIED, "None of your roles in this YOT may do this.", field="yot")
        if yot and self._tx.region.yot(yot) is None:
            raise DomainError(Reason.INVALID_VALUE, "The region has no such YOT.", field="yot")

    def _newest(self, message_type: type[Message]) -> Select[Any]:
        name = message_type.DESCRIPTOR.full_name
        return pages.newest(self._tx).where(record_version.c.message_type == name)

    def _stamped(self, made: Record[M]) -> Record[M]:
        who = self._tx.principal
        return replace(made, recorded_at=self._tx.now, recorded_by=who.id, recorded_agency=who.agency)

    async def _lock_at(self, held: Record[M], expected_version: int | None) -> None:
        query = select(record.c.version).where(record.c.record_id == held.record_id).with_for_update()
        newest = (await self._tx.conn.execute(query)).scalar_one()
        wanted = held.version if expected_version is None else expected_version
        if newest != wanted or newest != held.version:
            raise DomainError(
                Reason.VERSION_CONFLICT,
                f"The record is at version {newest}; read it again and repeat the command.",
                metadata={"version": str(newest)},
            )

    async def _insert_head(self, made: Record[M]) -> None:
        names = ("record_id", "kind", "child_id", "case_id", "yot", "version", "closed")
        values = {name: getattr(made, name) for name in names} | {"created_at": self._tx.now}
        if await _NEW_HEAD.first(self._tx.conn, values) is None:
            raise DomainError(Reason.ALREADY_EXISTS, "A record with this id exists already.")

    async def _move_head(self, made: Record[M]) -> None:
        head = update(record).where(record.c.record_id == made.record_id)
        await self._tx.conn.execute(head.values(version=made.version, closed=made.closed))

    async def _save(self, made: Record[M]) -> None:
        names = ("record_id", "version", "closed", "recorded_at", "recorded_by", "recorded_agency", "reason")
        values = {name: getattr(made, name) for name in names} | {
            "message_type": made.content.DESCRIPTOR.full_name,
            "content": _bytes(made.content),
            "recorded_practitioner": self._tx.principal.practitioner,
            "traceparent": current_trace().traceparent,
        }
        await _NEW_VERSION.run(self._tx.conn, values)
        event = self._events.changed(
            made.kind,
            record_id=made.record_id,
            child_id=made.child_id,
            case_id=made.case_id,
            version=made.version,
            closed=made.closed,
        )
        self._tx.emit(self._events.type_name, str(made.child_id), event)


_NOBODY = (datetime.min.replace(tzinfo=UTC), "", "")
_NEW_HEAD = Direct(upsert(record).on_conflict_do_nothing().returning(record.c.record_id))
_NEW_VERSION = Direct(insert(record_version))


def _bytes(content: Message) -> bytes:
    return content.SerializeToString(deterministic=True)


def _record(row: Row[Any], message_type: type[M]) -> Record[M]:
    return Record(
        record_id=row.record_id,
        kind=row.kind,
        child_id=row.child_id,
        case_id=row.case_id,
        yot=row.yot,
        version=row.version,
        closed=row.closed,
        content=message_type.FromString(row.content),
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        recorded_agency=row.recorded_agency,
        reason=row.reason,
    )
