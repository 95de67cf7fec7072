"""Hears of cases, meetings, drafts and placements by the events of `referrals` and `formulation`."""

from collections.abc import Awaitable, Callable

from ecm.api.formulation.v1 import formulation_events_pb2 as formulation_pb2
from ecm.api.referrals.v1 import referrals_events_pb2 as referrals_pb2
from ecm.kit.bus.events import Event
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.hearing import Hearing

OWNERS = ("referrals", "formulation")
_REFERRALS = frozenset({referrals_pb2.RECORD_KIND_CASE})
_FORMULATION = frozenset(
    {
        formulation_pb2.RECORD_KIND_MEETING,
        formulation_pb2.RECORD_KIND_REPORT_DRAFT,
        formulation_pb2.RECORD_KIND_RECOVERY_STAGE,
    }
)


def pointed_at(event: Event) -> tuple[str, str] | None:
    """Service and record id that an event is about; None where `monitoring` has no use for it."""
    if event.type == "ecm.api.referrals.v1.RecordChanged":
        case = referrals_pb2.RecordChanged.FromString(event.value)
        return ("referrals", case.record_id) if case.kind in _REFERRALS else None
    if event.type == "ecm.api.formulation.v1.RecordChanged":
        work = formulation_pb2.RecordChanged.FromString(event.value)
        return ("formulation", work.record_id) if work.kind in _FORMULATION else None
    return None


def concerns(event: Event) -> bool:
    """Whether `monitoring` has a use for it."""
    return pointed_at(event) is not None


def listening(hearing: Hearing) -> Callable[[Event, Tx], Awaitable[None]]:
    """The handler of one event; its errors are retried, or end in the dead-letter topic."""

    async def handle(event: Event, tx: Tx) -> None:
        pointed = pointed_at(event)
        if pointed is None:
            return
        try:
            await hearing.hear(tx, *pointed)
        except DomainError as error:
            # Erased at its owner meanwhile: there is nothing left to hear.
            if error.reason is not Reason.NOT_FOUND:
                raise

    return handle
