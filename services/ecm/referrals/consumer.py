"""Cases follow the events of `formulation` and `consent` (checklist 88 to 92, 99).

An event only says where to look: what counts is the newest that the owner has, so
that late, repeated and reordered events come to the same.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import CHANGE_CLOSED, RecordVersion
from ecm.api.consent.v1 import consent_events_pb2 as consent_events
from ecm.api.consent.v1.consent_records_pb2 import Consent
from ecm.api.formulation.v1 import formulation_events_pb2 as formulation_events
from ecm.api.formulation.v1.formulation_records_pb2 import Meeting, Report, ReportDraft
from ecm.api.referrals.v1.referrals_records_pb2 import Case
from ecm.kit.bus.events import Event
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.telemetry import logger
from ecm.referrals.commands.deciding import save_case, stamp
from ecm.referrals.model import progress
from ecm.referrals.model.consents import Standing, standing
from ecm.referrals.model.following import follow_consent, follow_progress, follow_withdrawal
from ecm.referrals.store import get_case

M = TypeVar("M", bound=Message)


class ConsentRecords(Protocol):
    """Where consents are fetched."""

    async def child_records(self, child_id: str) -> Sequence[RecordVersion]: ...


class FormulationRecords(Protocol):
    """Where records of a formulation are fetched."""

    async def versions(self, record_id: str, after: int) -> Sequence[RecordVersion]: ...


class CaseFollower:
    """The handler of one event, in the transaction of its inbox row."""

    def __init__(self, consent: ConsentRecords, formulation: FormulationRecords) -> None:
        self._consent = consent
        self._formulation = formulation

    async def handle(self, event: Event, tx: Tx) -> None:
        """Moves the case that the event is about, where it leads further. Errors of the owners are retried."""
        if event.type == formulation_events.RecordChanged.DESCRIPTOR.full_name:
            await self._follow_formulation(formulation_events.RecordChanged.FromString(event.value), tx)
        elif event.type == consent_events.RecordChanged.DESCRIPTOR.full_name:
            await self._follow_consent(consent_events.RecordChanged.FromString(event.value), tx)

    async def _follow_formulation(self, changed: formulation_events.RecordChanged, tx: Tx) -> None:
        if changed.kind not in _PROGRESS or not changed.case_id:
            return
        versions = await self._formulation.versions(changed.record_id, changed.version - 1)
        if not versions or versions[-1].change == CHANGE_CLOSED:
            return
        reached = _PROGRESS[changed.kind](versions[-1])
        if reached is not None:
            await _move(
                tx, changed.case_id, lambda case: follow_progress(case, reached.reached, reached.happened_at, stamp(tx))
            )

    async def _follow_consent(self, changed: consent_events.RecordChanged, tx: Tx) -> None:
        if changed.kind != consent_events.RECORD_KIND_CONSENT or not changed.case_id:
            return
        records = await self._consent.child_records(changed.child_id)
        consents = {
            record.record_id: _content(record, Consent)
            for record in records
            if record.kind == "CONSENT" and record.case_id == changed.case_id
        }
        match standing(consents):
            case Standing.DENIED:
                await _move(tx, changed.case_id, lambda case: follow_withdrawal(case, stamp(tx)))
            case Standing.GIVEN:
                await _move(tx, changed.case_id, lambda case: follow_consent(case, stamp(tx)))
            case Standing.NOT_DECIDED:
                pass


async def _move(tx: Tx, case_id: str, follow: Callable[[Case], Case]) -> None:
    try:
        held = await get_case(tx, str(UUID(case_id)), lock=True)
    except DomainError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        logger(case_id=case_id).warning("case.unknown")
        return
    case = follow(held.content)
    if case is not held.content:
        await save_case(tx, held, case, case.steps[-1].reason)


def _content(version: RecordVersion, message_type: type[M]) -> M:
    message = message_type()
    if not version.content.Unpack(message):
        raise TypeError(f"{version.kind} isn't a {message_type.__name__}")
    return message


def _meeting(version: RecordVersion) -> progress.Progress | None:
    return progress.of_meeting(_content(version, Meeting))


def _draft(version: RecordVersion) -> progress.Progress | None:
    return progress.of_draft(_content(version, ReportDraft), progress.instant(version.recorded_at))


def _report(version: RecordVersion) -> progress.Progress | None:
    return progress.of_report(_content(version, Report))


_PROGRESS: dict[int, Callable[[RecordVersion], progress.Progress | None]] = {
    formulation_events.RECORD_KIND_MEETING: _meeting,
    formulation_events.RECORD_KIND_REPORT_DRAFT: _draft,
    formulation_events.RECORD_KIND_REPORT: _report,
}


def concerns(event: Event) -> bool:
    """Whether it is of a record that moves a case."""
    if event.type == formulation_events.RecordChanged.DESCRIPTOR.full_name:
        return formulation_events.RecordChanged.FromString(event.value).kind in _PROGRESS
    if event.type == consent_events.RecordChanged.DESCRIPTOR.full_name:
        return consent_events.RecordChanged.FromString(event.value).kind == consent_events.RECORD_KIND_CONSENT
    return False
