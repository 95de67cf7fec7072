"""What makes a record stricter: recorded here, told to `consent`, then committed (design §4).

The payload of each intent is the request itself; of each kind stands here what is checked before, what `consent` is
told, and what is applied.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from google.protobuf.message import Message
from sqlalchemy import select

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Invitation, Meeting, Report, Timeline, TimelineEntry
from ecm.formulation.model import circulation, meetings
from ecm.formulation.model.values import PARAGRAPH, check_text, illegal
from ecm.formulation.peers import Peers
from ecm.formulation.store import load, load_at, of_case, ref_of
from ecm.kit.auth.principal import service_principal
from ecm.kit.db.records import Record
from ecm.kit.db.tables import narrowing_intent
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.narrowing import Apply, Ask

EVERYBODY = ""
"""The agency of a narrowing that holds for all."""

Target = tuple[UUID, UUID, str]
"""(child, record, agency) as `consent` is told it."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One kind. `apply` can't refuse what `check` let pass."""

    request: type[Message]
    check: Callable[[Tx, Any], Awaitable[None]]
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
    t = narrowing_intent.c
    still = select(t.payload).where(t.kind == CANCEL_MEETING, t.done_at.is_(None), t.failed_at.is_(None))
    for payload in (await tx.conn.execute(still)).scalars():
        if pb.CancelMeetingRequest.FromString(payload).meeting_id == str(meeting_id):
            raise illegal("The meeting is being cancelled.")


async def _check_invitation(tx: Tx, request: pb.CancelInvitationRequest) -> None:
    check_text(request.reason, "reason", most=PARAGRAPH)
    await load_at(tx, request.invitation_id, Invitation, "invitation_id", request.expected_version)


async def _invitation_targets(tx: Tx, request: pb.CancelInvitationRequest) -> AsyncIterator[Target]:
    for target in _of_invitation(await tx.records.get(UUID(request.invitation_id), Invitation)):
        yield target


async def _end_invitation(tx: Tx, request: pb.CancelInvitationRequest) -> RecordRef:
    invitation = await tx.records.get(UUID(request.invitation_id), Invitation, lock=True)
    return ref_of(await tx.records.close(invitation, reason=request.reason))


async def _check_meeting(tx: Tx, request: pb.CancelMeetingRequest) -> None:
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


async def _check_entry(tx: Tx, request: pb.RetractTimelineEntryRequest) -> None:
    check_text(request.reason, "reason", most=PARAGRAPH)
    await load_at(tx, request.entry_id, TimelineEntry, "entry_id", request.expected_version)


async def _entry_targets(tx: Tx, request: pb.RetractTimelineEntryRequest) -> AsyncIterator[Target]:
    entry = await tx.records.get(UUID(request.entry_id), TimelineEntry)
    yield entry.child_id, entry.record_id, EVERYBODY
    for drawing in await of_case(tx, entry.case_id, Timeline):
        yield drawing.child_id, drawing.record_id, EVERYBODY


async def _end_entry(tx: Tx, request: pb.RetractTimelineEntryRequest) -> RecordRef:
    """The entry goes, and the drawing that shows it: what is drawn next is a record of its own."""
    entry = await tx.records.get(UUID(request.entry_id), TimelineEntry, lock=True)
    for drawing in await of_case(tx, entry.case_id, Timeline):
        await tx.records.close(drawing, reason="an entry was retracted")
    return ref_of(await tx.records.close(entry, reason=request.reason))


async def _check_circulation(tx: Tx, request: pb.EndCirculationRequest) -> None:
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
RETRACT_TIMELINE_ENTRY, END_CIRCULATION = "RETRACT_TIMELINE_ENTRY", "END_CIRCULATION"

NARROWINGS: Mapping[str, Narrowing] = {
    CANCEL_INVITATION: Narrowing(pb.CancelInvitationRequest, _check_invitation, _invitation_targets, _end_invitation),
    CANCEL_MEETING: Narrowing(pb.CancelMeetingRequest, _check_meeting, _meeting_targets, _end_meeting),
    RETRACT_TIMELINE_ENTRY: Narrowing(pb.RetractTimelineEntryRequest, _check_entry, _entry_targets, _end_entry),
    END_CIRCULATION: Narrowing(pb.EndCirculationRequest, _check_circulation, _circulation_targets, _end_circulation),
}
