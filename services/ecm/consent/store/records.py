"""The records that `consent` owns, and how consents are ordered and fall due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ecm.api.consent.v1 import consent_events_pb2 as events
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.tables import CONSENT_ORDINAL, consent_order, deadline
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.records import Record, Records
from ecm.kit.db.scope import UNLIMITED
from ecm.kit.db.tables import record
from ecm.kit.db.uow import Tx

M = TypeVar("M", bound=Message)

CONSENT, AGREEMENT, OVERRIDE = "CONSENT", "AGREEMENT", "OVERRIDE"
KINDS: dict[str, tuple[int, type[Message]]] = {
    CONSENT: (events.RECORD_KIND_CONSENT, records.Consent),
    AGREEMENT: (events.RECORD_KIND_AGREEMENT, records.Agreement),
    OVERRIDE: (events.RECORD_KIND_OVERRIDE, records.Override),
}
EVENTS = RecordEvents(KINDS, events.RecordChanged)

EXPIRY, OVERRIDE_END, ADULT_REVIEW = "EXPIRY", "OVERRIDE_END", "ADULT_REVIEW"


@dataclass(frozen=True, slots=True)
class Ordered(Generic[M]):
    """A consent, and its place among the child's consents."""

    record: Record[M]
    ordinal: int


class _Unlimited(Tx):
    """The same transaction, seeing the records of every YOT; its events leave with the transaction's own."""

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx.conn, tx.principal, tx.now, region=tx.region, ids=tx.ids, events=EVENTS, scope=UNLIMITED)
        self._whole = tx

    def emit(self, type_name: str, key: str, message: Message) -> None:
        self._whole.emit(type_name, key, message)


def every(tx: Tx) -> Records:
    """The records of every YOT: a child's set is compiled from all of them, whoever's command it is."""
    return _Unlimited(tx).records


async def consents_of(tx: Tx, child_id: UUID) -> list[Ordered[records.Consent]]:
    """All consents of the child, newest state first."""
    found = await every(tx).list(CONSENT, records.Consent, child_id=child_id)
    query = select(consent_order).where(consent_order.c.consent_id.in_([one.record_id for one in found]))
    ordinals = {row.consent_id: row.ordinal for row in await tx.conn.execute(query)}
    return sorted((Ordered(one, ordinals[one.record_id]) for one in found), key=lambda one: -one.ordinal)


async def overrides_of(tx: Tx, child_id: UUID) -> list[Record[records.Override]]:
    """Overrides of the child that haven't been ended."""
    return await every(tx).list(OVERRIDE, records.Override, child_id=child_id)


async def create_consent(
    tx: Tx, content: records.Consent, *, child_id: UUID, case_id: UUID, yot: str, reason: str = ""
) -> Record[records.Consent]:
    """A new consent of a case."""
    made = await tx.records.create(CONSENT, content, child_id=child_id, case_id=case_id, yot=yot, reason=reason)
    await _order(tx, made.record_id)
    return made


async def save_consent(
    tx: Tx, before: Record[records.Consent], content: records.Consent, *, reason: str = ""
) -> Record[records.Consent]:
    """The consent's next version, which is the newest state of all."""
    made = await every(tx).update(before, content, reason=reason)
    if made.version != before.version:
        await _order(tx, made.record_id)
    return made


async def set_deadline(tx: Tx, record_id: UUID, kind: str, child_id: UUID, at: datetime | None) -> None:
    """When the record ends, or falls due, by itself; None: never."""
    if at is None:
        await tx.conn.execute(delete(deadline).where(deadline.c.record_id == record_id, deadline.c.kind == kind))
        return
    values = {"record_id": record_id, "kind": kind, "child_id": child_id, "at": at}
    statement = insert(deadline).values(values)
    await tx.conn.execute(
        statement.on_conflict_do_update(index_elements=["record_id", "kind"], set_={"at": statement.excluded.at})
    )


async def clear_deadlines(tx: Tx, record_id: UUID) -> None:
    """Nothing falls due any more."""
    await tx.conn.execute(delete(deadline).where(deadline.c.record_id == record_id))


async def child_of(tx: Tx, record_id: UUID) -> UUID | None:
    """Of which child one of our records is; whoever asks."""
    found = await tx.conn.execute(select(record.c.child_id).where(record.c.record_id == record_id))
    child_id: UUID | None = found.scalar_one_or_none()
    return child_id


def of_case(consents: Sequence[Ordered[records.Consent]], case_id: UUID) -> list[Ordered[records.Consent]]:
    """The consents of one case, newest state first."""
    return [one for one in consents if one.record.case_id == case_id]


async def _order(tx: Tx, consent_id: UUID) -> None:
    ordinal = (await tx.conn.execute(select(func.nextval(CONSENT_ORDINAL.name)))).scalar_one()
    statement = insert(consent_order).values(consent_id=consent_id, ordinal=ordinal)
    await tx.conn.execute(
        statement.on_conflict_do_update(index_elements=["consent_id"], set_={"ordinal": statement.excluded.ordinal})
    )
