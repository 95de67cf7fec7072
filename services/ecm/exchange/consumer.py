"""The owners' thin events → the projection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import DecodeError

from ecm.api.consent.v1 import consent_events_pb2
from ecm.api.formulation.v1 import formulation_events_pb2
from ecm.api.monitoring.v1 import monitoring_events_pb2
from ecm.api.referrals.v1 import referrals_events_pb2
from ecm.exchange.mapping import UNMAPPED
from ecm.exchange.projection.owners import OWNERS
from ecm.exchange.projection.project import Projection
from ecm.exchange.projection.records import RecordAt
from ecm.kit.bus.consumer import Consumer
from ecm.kit.bus.events import Event, MalformedEventError
from ecm.kit.bus.handling import Handler
from ecm.kit.bus.topics import service_topic
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.settings import ServiceSettings

GROUP: Final = "ecm-exchange.projection"
# Each holds a connection of the pool while it waits for an owner; the workers need theirs.
PARTITIONS_AT_ONCE: Final = 2

_MODULES: Final[dict[str, Any]] = {
    "referrals": referrals_events_pb2,
    "consent": consent_events_pb2,
    "formulation": formulation_events_pb2,
    "monitoring": monitoring_events_pb2,
}
_TYPES: Final = {module.RecordChanged.DESCRIPTOR.full_name: service for service, module in _MODULES.items()}


class ProjectionConsumer:
    """Projects what events name, each in the transaction of its inbox row."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection

    @contextmanager
    def begin(self, event: Event) -> Iterator[Handler]:
        """Asks the record's owner while the transaction begins; then it is projected.

        That of a child who never had a grant waits for the child's first fetch.
        """
        changed = read(event)
        if changed is None:
            yield _pass_over
            return
        with self._projection.asking(changed) as asked:
            yield lambda _, tx: self._projection.follow(tx.conn, changed, asked)

    async def failed(self, event: Event, tx: Tx, error: Exception) -> None:
        """From the first failed attempt on the record is hidden: a laxer version must not stay visible."""
        changed = read(event)
        if changed is not None:
            await self._projection.fail(tx.conn, changed, error)


async def _pass_over(_: Event, __: Tx) -> None: ...


def read(event: Event) -> RecordAt | None:
    """What the event names; None for other messages and for kinds that are never exchanged.

    MalformedEventError where it can't be read: it names no record that could be hidden.
    """
    service = _TYPES.get(event.type)
    if service is None:
        return None
    try:
        return _read(service, event.value)
    except (DecodeError, ValueError):
        raise MalformedEventError("The value isn't a RecordChanged of ours.") from None


def _read(service: str, value: bytes) -> RecordAt | None:
    module = _MODULES[service]
    message = module.RecordChanged.FromString(value)
    kind = module.RecordKind.Name(message.kind).removeprefix("RECORD_KIND_")
    if kind in UNMAPPED or not message.child_id:
        return None
    return RecordAt(service, kind, UUID(message.record_id), UUID(message.child_id), message.version)


def concerns(event: Event) -> bool:
    """Whether it names a record that is exchanged."""
    return read(event) is not None


def make_consumer(settings: ServiceSettings, region: str, uow: UnitOfWork, projection: Projection) -> Consumer:
    """The consumer of the four owners' topics."""
    handler = ProjectionConsumer(projection)
    topics = [service_topic(region, service) for service in OWNERS]
    return Consumer(
        settings,
        topics,
        GROUP,
        handler.begin,
        uow,
        concerns=concerns,
        on_failure=handler.failed,
        partitions_at_once=PARTITIONS_AT_ONCE,
    )
