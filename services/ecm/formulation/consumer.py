"""Hears of cases by the events of `referrals`, so that most commands needn't ask there."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from ecm.api.referrals.v1.referrals_events_pb2 import RECORD_KIND_CASE, RecordChanged
from ecm.formulation.peers import Peers
from ecm.formulation.store import find_case, keep_case
from ecm.kit.bus.events import Event
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason


def concerns(event: Event) -> bool:
    """Whether it is of a case."""
    named = event.type == RecordChanged.DESCRIPTOR.full_name
    return named and RecordChanged.FromString(event.value).kind == RECORD_KIND_CASE


def listening(peers: Peers) -> Callable[[Event, Tx], Awaitable[None]]:
    """The handler of one event; its errors are retried, or end in the dead-letter topic."""

    async def handle(event: Event, tx: Tx) -> None:
        changed = RecordChanged.FromString(event.value)
        await _hear(tx, peers, UUID(changed.record_id), changed.version)

    return handle


async def _hear(tx: Tx, peers: Peers, case_id: UUID, version: int) -> None:
    known = await find_case(tx, case_id)
    if known is not None and known.version >= version:
        return
    try:
        newer = await peers.case(case_id, after=known.version if known else 0)
    except DomainError as error:
        # Erased at its owner meanwhile: there is nothing left to hear.
        if error.reason is not Reason.NOT_FOUND:
            raise
        return
    if newer is not None:
        await keep_case(tx, newer)
