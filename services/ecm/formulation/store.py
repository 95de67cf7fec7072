"""What `formulation` keeps: its kinds of records, and the cases that it heard of."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1 import formulation_events_pb2 as events
from ecm.api.formulation.v1 import formulation_records_pb2 as contents
from ecm.formulation.model.cases import KnownCase
from ecm.formulation.tables import known_case
from ecm.kit.db.changes import Kinds, RecordEvents
from ecm.kit.db.direct import Direct
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid

M = TypeVar("M", bound=Message)

KINDS: Kinds = {
    "MEETING": (events.RECORD_KIND_MEETING, contents.Meeting),
    "INVITATION": (events.RECORD_KIND_INVITATION, contents.Invitation),
    "CONTRIBUTION": (events.RECORD_KIND_CONTRIBUTION, contents.Contribution),
    "GENOGRAM": (events.RECORD_KIND_GENOGRAM, contents.Genogram),
    "TIMELINE_ENTRY": (events.RECORD_KIND_TIMELINE_ENTRY, contents.TimelineEntry),
    "TIMELINE": (events.RECORD_KIND_TIMELINE, contents.Timeline),
    "DEVELOPMENTAL_MAP": (events.RECORD_KIND_DEVELOPMENTAL_MAP, contents.DevelopmentalMap),
    "RECOVERY_STAGE": (events.RECORD_KIND_RECOVERY_STAGE, contents.RecoveryStage),
    "RECOMMENDATIONS": (events.RECORD_KIND_RECOMMENDATIONS, contents.Recommendations),
    "REPORT_DRAFT": (events.RECORD_KIND_REPORT_DRAFT, contents.ReportDraft),
    "REPORT": (events.RECORD_KIND_REPORT, contents.Report),
    "CHILD_VOICE": (events.RECORD_KIND_CHILD_VOICE, contents.ChildVoice),
}
_KIND_OF: dict[type[Message], str] = {message: kind for kind, (_, message) in KINDS.items()}


_FOUND = select(known_case).where(known_case.c.case_id == bindparam("case"))
_CASE, _CASE_LOCKED = Direct(_FOUND), Direct(_FOUND.with_for_update())


def record_events() -> RecordEvents:
    """How this service's records become events."""
    return RecordEvents(KINDS, events.RecordChanged)


def ref_of(record: Record[M]) -> RecordRef:
    """What a command answers."""
    return RecordRef(record_id=str(record.record_id), version=record.version)


async def load(tx: Tx, record_id: str, content: type[M], field: str, *, lock: bool = False) -> Record[M]:
    """The record named in the request's `field`. NOT_FOUND, and for a closed one too: it is gone."""
    found = await tx.records.get(parse_uuid(record_id, field), content, lock=lock)
    if found.closed:
        raise DomainError(Reason.NOT_FOUND, f"There is no {_words(content)} with this id.")
    return found


async def load_at(tx: Tx, record_id: str, content: type[M], field: str, version: int) -> Record[M]:
    """The record, which must be at `version`: a decision rests on what its caller has seen. VERSION_CONFLICT."""
    found = await load(tx, record_id, content, field)
    if found.version != version:
        raise DomainError(
            Reason.VERSION_CONFLICT,
            f"The record is at version {found.version}; read it again and repeat the command.",
            metadata={"version": str(found.version)},
        )
    return found


async def create(tx: Tx, case: KnownCase, content: M, *, reason: str = "") -> Record[M]:
    """Version 1 of a record of the case."""
    kind = _KIND_OF[type(content)]
    return await tx.records.create(
        kind, content, child_id=case.child_id, case_id=case.case_id, yot=case.yot, reason=reason
    )


async def of_case(
    tx: Tx, case_id: UUID | None, content: type[M], where: Callable[[M], bool] = lambda _: True
) -> list[Record[M]]:
    """The standing records of one kind of a case, oldest first."""
    found = await tx.records.list(_KIND_OF[content], content, case_id=case_id)
    return [record for record in found if where(record.content)]


async def find_case(tx: Tx, case_id: UUID, *, lock: bool = False) -> KnownCase | None:
    """The case as last heard of; `lock` makes others wait who decide by what hangs on it."""
    row = await (_CASE_LOCKED if lock else _CASE).first(tx.conn, {"case": case_id})
    return KnownCase(row.case_id, row.child_id, row.yot, row.state, row.erased, row.version) if row else None


async def keep_case(tx: Tx, case: KnownCase) -> None:
    """Notes what was heard of a case; older never overwrites newer."""
    names = ("case_id", "child_id", "yot", "state", "erased", "version")
    values = {name: getattr(case, name) for name in names}
    statement = insert(known_case).values(values)
    newer = known_case.c.version < statement.excluded.version
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=["case_id"], set_=values, where=newer))


def _words(content: type[Message]) -> str:
    return _KIND_OF[content].lower().replace("_", " ")
