"""Hears what widens: thin events of `referrals` and `formulation`."""

from collections.abc import Callable
from uuid import UUID

from ecm.api.formulation.v1 import formulation_events_pb2 as formulation
from ecm.api.referrals.v1 import referrals_events_pb2 as referrals
from ecm.consent.compiling import recompile
from ecm.consent.learning import Learning
from ecm.consent.model.facts import KINDS
from ecm.kit.bus.events import Event
from ecm.kit.bus.handling import Handler
from ecm.kit.db.uow import Tx

OWNERS = ("referrals", "formulation")
_PREFIX = "RECORD_KIND_"


def hearing(learning: Learning, wake: Callable[[], None]) -> Handler:
    """The handler: takes in the record's newer versions and compiles the child's set. `wake` has it pushed."""

    async def hear(event: Event, tx: Tx) -> None:
        owner, _, record_id = _read(event)
        for child_id in sorted(await learning.follow(tx, owner, record_id)):
            await recompile(tx, child_id)
        wake()

    return hear


def concerns(event: Event) -> bool:
    """Whether it is of a kind of record that grants are compiled from."""
    owner, kind, _ = _read(event)
    return kind in KINDS.get(owner, frozenset())


def _read(event: Event) -> tuple[str, str, UUID]:
    """Whose event, of which kind of record, and which record."""
    if event.type == referrals.RecordChanged.DESCRIPTOR.full_name:
        changed = referrals.RecordChanged.FromString(event.value)
        return "referrals", referrals.RecordKind.Name(changed.kind).removeprefix(_PREFIX), UUID(changed.record_id)
    if event.type == formulation.RecordChanged.DESCRIPTOR.full_name:
        told = formulation.RecordChanged.FromString(event.value)
        return "formulation", formulation.RecordKind.Name(told.kind).removeprefix(_PREFIX), UUID(told.record_id)
    return "", "", UUID(int=0)
