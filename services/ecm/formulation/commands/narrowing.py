"""What makes a record stricter: recorded here, told to `consent`, then committed.

The payload of each intent is the request itself; of each kind stands here what is checked before, what `consent` is
told, and what is applied.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from google.protobuf.message import Message
from sqlalchemy import select

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import (
    Genogram,
    Invitation,
    Meeting,
    Report,
    Timeline,
    TimelineEntry,
)
from ecm.formulation.commands.cases import open_case
from ecm.formulation.model import circulation, meetings
from ecm.formulation.model.timeline import check_entry
from ecm.formulation.model.values import PARAGRAPH, check_text, illegal
from ecm.formulation.peers import Peers
from ecm.formulation.store import M, find_case, load, load_at, of_case, ref_of
from ecm.kit.auth.principal import service_principal
from ecm.kit.db.records import Record
from ecm.kit.db.tables import narrowing_intent
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.narrowing import Apply, Ask

EVERYBODY = ""
"""The agency of a narrowing that holds for all."""

Target = tuple[UUID, UUID, str]
"""(child, record, agency) as `consent` is told it."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One kind. `apply` can't refuse what `check` let pass."""

    request: type[Message]
    check: Callable[[Peers, Tx, Any], Awaitable[None]]
    targets: Callable[[Tx, Any], AsyncIterator[Target]]
    apply: Callable[[Tx, Any], Awaitable[RecordRef]]


def asking(uow: UnitOfWork, peers: Peers) -> Ask:
    """Tells `consent` every target of an intent; the same intent tells the same narrowings."""

    async def ask(kind: str, payload: bytes, intent_id: UUID) -> None:
        narrowing = NARROWINGS[kind]
        async with uow.read(service_principal("formulation")) as tx:
            targets = [target async for target in narrowing.targets(tx, narrowing.request.FromString(payload))]
        for child_id, record_id, agency in targets:
            await peers.narrow(uuid5(intent_id, f"{record_id}/{agency}"), child_id, record_id, agency)

    return ask


def applying() -> Apply:
    """Commits the stricter state."""

    async def apply(tx: Tx, kind: str, payload: bytes) -> RecordRef:
        narrowing = NARROWINGS[kind]
        return await narrowing.apply(tx, narrowing.request.FromString(payload))

    return apply


async def check_not_cancelling(tx: Tx, meeting_id: UUID) -> None:
    """ILLEGAL_TRANSITION while a cancellation is recorded and `consent` hasn't answered yet; lock the meeting first."""
    if str(meeting_id) in await _open_ids(tx, CANCEL_MEETING, "meeting_id"):
        raise illegal("The meeting is being cancelled.")


async def check_not_leaving(tx: Tx, entry_ids: Iterable[UUID]) -> None:
    """VERSION_CONFLICT while one of the entries is about to be retracted or replaced; lock it or its case first."""
    leaving = [await _open_ids(tx, kind, "entry_id") for kind in (RETRACT_TIMELINE_ENTRY, REPLACE_TIMELINE_ENTRY)]
    if set().union(*leaving) & {str(entry_id) for entry_id in entry_ids}:
        message = "An entry is being retracted or replaced already; read the timeline again and repeat the command."
        raise DomainError(Reason.VERSION_CONFLICT, message)


async def _open_ids(tx: Tx, kind: str, field: str) -> set[str]:
    """The ids that stand in `field` of the narrowings of a kind that are on their way."""
    t = narrowing_intent.c
    still = select(t.payload).where(t.kind == kind, t.done_at.is_(None), t.failed_at.is_(None))
    payloads = (await tx.conn.execute(still)).scalars()
    return {str(UUID(getattr(NARROWINGS[kind].request.FromString(payload), field))) for payload in payloads}


async def _check_invitation(_: Peers, tx: Tx, request: pb.CancelInvitationRequest) -> None:
    check_text(request.reason, "reason", most=PARAGRAPH)
    await load_at(tx, request.invitation_id, Invitation, "invitation_id", request.expected_version)


async def _invitation_targets(tx: Tx, request: pb.CancelInvitationRequest) -> AsyncIterator[Target]:
    for target in _of_invitation(await tx.records.get(UUID(request.invitation_id), Invitation)):
        yield target


async def _end_invitation(tx: Tx, request: pb.CancelInvitationRequest) -> RecordRef:
    invitation = await tx.records.get(UUID(request.invitation_id), Invitation, lock=True)
    return ref_of(await tx.records.close(invitation, reason=request.reason))


async def _check_meeting(_: Peers, tx: Tx, request: pb.CancelMeetingRequest) -> None:
    check_text(request.reason, "reason", most=PARAGRAPH)
    await load(tx, request.meeting_id, Meeting, "meeting_id", lock=True)
    meeting = await load_at(tx, request.meeting_id, Meeting, "meeting_id", request.expected_version)
    meetings.check_scheduled(meeting.content)
    await check_not_cancelling(tx, meeting.record_id)


async def _meeting_targets(tx: Tx, request: pb.CancelMeetingRequest) -> AsyncIterator[Target]:
    for invitation in await _invitations(tx, request):
        for target in _of_invitation(invitation):
            yield target


async def _end_meeting(tx: Tx, request: pb.CancelMeetingRequest) -> RecordRef:
    """The meeting stands as cancelled, for those who see the formulation; its invitations are gone."""
    meeting = await tx.records.get(UUID(request.meeting_id), Meeting, lock=True)
    for invitation in await _invitations(tx, request):
        await tx.records.close(invitation, reason=request.reason)
    return ref_of(await tx.records.update(meeting, meetings.cancelled(meeting.content), reason=request.reason))


async def _check_retraction(_: Peers, tx: Tx, request: pb.RetractTimelineEntryRequest) -> None:
    check_text(request.reason, "reason", most=PARAGRAPH)
    await _check_entry(tx, request.entry_id, request.expected_version)


async def _check_replacement(peers: Peers, tx: Tx, request: pb.UpdateTimelineEntryRequest) -> None:
    entry = await _check_entry(tx, request.entry_id, request.expected_version)
    await open_case(peers, tx, str(entry.case_id))
    check_entry(request.entry, tx.region, tx.today)


async def _check_entry(tx: Tx, entry_id: str, version: int) -> Record[TimelineEntry]:
    """The case is locked, so that nobody draws what is about to leave; the entry, so that it leaves once."""
    entry = await load(tx, entry_id, TimelineEntry, "entry_id")
    if entry.case_id is not None:
        await find_case(tx, entry.case_id, lock=True)
    await load(tx, entry_id, TimelineEntry, "entry_id", lock=True)
    await check_not_leaving(tx, [entry.record_id])
    return await load_at(tx, entry_id, TimelineEntry, "entry_id", version)


async def _entry_targets(
    tx: Tx, request: pb.RetractTimelineEntryRequest | pb.UpdateTimelineEntryRequest
) -> AsyncIterator[Target]:
    entry = await tx.records.get(UUID(request.entry_id), TimelineEntry)
    yield entry.child_id, entry.record_id, EVERYBODY
    for drawing in await of_case(tx, entry.case_id, Timeline):
        yield drawing.child_id, drawing.record_id, EVERYBODY


async def _end_entry(tx: Tx, request: pb.RetractTimelineEntryRequest) -> RecordRef:
    return ref_of(await _take_away(tx, request.entry_id, request.reason, "an entry was retracted"))


async def _replace_entry(tx: Tx, request: pb.UpdateTimelineEntryRequest) -> RecordRef:
    """Another entry in its place: what is withheld from everyone stays withheld, whatever its later versions say."""
    old = await _take_away(tx, request.entry_id, "replaced by a stricter one", "an entry became stricter")
    made = await tx.records.create(old.kind, request.entry, child_id=old.child_id, case_id=old.case_id, yot=old.yot)
    return ref_of(made)


async def _take_away(tx: Tx, entry_id: str, why: str, why_drawing: str) -> Record[TimelineEntry]:
    """The entry goes, and the drawing that shows it: what is drawn next is a record of its own."""
    entry = await tx.records.get(UUID(entry_id), TimelineEntry, lock=True)
    for drawing in await of_case(tx, entry.case_id, Timeline):
        await tx.records.close(drawing, reason=why_drawing)
    return await tx.records.close(entry, reason=why)


async def _nothing_to_check(_: Peers, tx: Tx, drawing: RecordRef) -> None:
    """Whoever draws has been checked."""


def _retiring(content: type[M]) -> Narrowing:
    """A drawing goes whose next one is stricter; the payload is its ref."""

    async def targets(tx: Tx, drawing: RecordRef) -> AsyncIterator[Target]:
        old = await tx.records.get(UUID(drawing.record_id), content)
        yield old.child_id, old.record_id, EVERYBODY

    async def apply(tx: Tx, drawing: RecordRef) -> RecordRef:
        old = await tx.records.get(UUID(drawing.record_id), content, lock=True)
        return ref_of(await tx.records.close(old, reason="replaced by a stricter one"))

    return Narrowing(RecordRef, _nothing_to_check, targets, apply)


async def _check_circulation(_: Peers, tx: Tx, request: pb.EndCirculationRequest) -> None:
    check_text(request.reason, "reason", most=PARAGRAPH)
    report = await load_at(tx, request.report_id, Report, "report_id", request.expected_version)
    circulation.check_receives(report.content, request.agency)


async def _circulation_targets(tx: Tx, request: pb.EndCirculationRequest) -> AsyncIterator[Target]:
    report = await tx.records.get(UUID(request.report_id), Report)
    yield report.child_id, report.record_id, request.agency


async def _end_circulation(tx: Tx, request: pb.EndCirculationRequest) -> RecordRef:
    report = await tx.records.get(UUID(request.report_id), Report, lock=True)
    ended = circulation.withdrawn(report.content, request.agency)
    return ref_of(await tx.records.update(report, ended, reason=request.reason))


async def _invitations(tx: Tx, request: pb.CancelMeetingRequest) -> list[Record[Invitation]]:
    meeting = await tx.records.get(UUID(request.meeting_id), Meeting)
    return await of_case(tx, meeting.case_id, Invitation, lambda found: found.meeting_id == str(meeting.record_id))


def _of_invitation(invitation: Record[Invitation]) -> list[Target]:
    """The invited agency loses meeting and Patient with it, and nobody sees the invitation any more."""
    child_id, record_id = invitation.child_id, invitation.record_id
    return [(child_id, record_id, invitation.content.agency), (child_id, record_id, EVERYBODY)]


CANCEL_INVITATION, CANCEL_MEETING = "CANCEL_INVITATION", "CANCEL_MEETING"
RETRACT_TIMELINE_ENTRY, REPLACE_TIMELINE_ENTRY = "RETRACT_TIMELINE_ENTRY", "REPLACE_TIMELINE_ENTRY"
RETIRE_TIMELINE, RETIRE_GENOGRAM = "RETIRE_TIMELINE", "RETIRE_GENOGRAM"
END_CIRCULATION = "END_CIRCULATION"

NARROWINGS: Mapping[str, Narrowing] = {
    CANCEL_INVITATION: Narrowing(pb.CancelInvitationRequest, _check_invitation, _invitation_targets, _end_invitation),
    CANCEL_MEETING: Narrowing(pb.CancelMeetingRequest, _check_meeting, _meeting_targets, _end_meeting),
    RETRACT_TIMELINE_ENTRY: Narrowing(pb.RetractTimelineEntryRequest, _check_retraction, _entry_targets, _end_entry),
    REPLACE_TIMELINE_ENTRY: Narrowing(
        pb.UpdateTimelineEntryRequest, _check_replacement, _entry_targets, _replace_entry
    ),
    RETIRE_TIMELINE: _retiring(Timeline),
    RETIRE_GENOGRAM: _retiring(Genogram),
    END_CIRCULATION: Narrowing(pb.EndCirculationRequest, _check_circulation, _circulation_targets, _end_circulation),
}
