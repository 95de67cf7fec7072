"""A service with one kind of record, for the kit's tests: content and event are messages of `referrals`."""

from typing import ClassVar

from ecm.api.referrals.v1 import referrals_events_pb2 as events_pb2
from ecm.api.referrals.v1 import referrals_records_pb2 as records_pb2
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.records import Record
from ecm.kit.db.uow import UnitOfWork
from ecm.kit.settings import ServiceSettings
from unit.kit.builders import person

KINDS = {
    "CHILD": (events_pb2.RECORD_KIND_CHILD, records_pb2.Child),
    "CASE": (events_pb2.RECORD_KIND_CASE, records_pb2.Case),
}
EVENTS = RecordEvents(KINDS, events_pb2.RecordChanged)
TABLES = ("outbox", "inbox", "idempotency", "narrowing_intent", "record_version", "record")


class KitSettings(ServiceSettings):
    """Settings of the service that the tests play."""

    service: ClassVar[str] = "kit"


def child(name: str = "Nobody") -> records_pb2.Child:
    """A child's file with one value in it."""
    return records_pb2.Child(family_name=name)


async def a_child(uow: UnitOfWork, yot: str = "eastvale") -> Record[records_pb2.Child]:
    """A saved child of a YOT."""
    async with uow.begin(person((yot, "case-manager"))) as tx:
        return await tx.records.create("CHILD", child(), child_id=None, yot=yot)
