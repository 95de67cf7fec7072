"""Meetings: schedule, move, hold (checklist 88, 90, 157 to 167, 239)."""

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1.consent_service_pb2 import GATE_HOLD, GATE_SCHEDULE
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Invitation, Meeting
from ecm.formulation.commands.cases import open_case
from ecm.formulation.commands.narrowing import check_not_cancelling
from ecm.formulation.model import invitations, meetings
from ecm.formulation.model.cases import check_accepted
from ecm.formulation.peers import Peers
from ecm.formulation.store import create, find_case, load, load_at, of_case, ref_of
from ecm.kit.db.uow import Tx


async def schedule_meeting(peers: Peers, tx: Tx, request: pb.ScheduleMeetingRequest) -> RecordRef:
    """Gives the case its meeting; the case must be accepted and consented to."""
    case = await open_case(peers, tx, request.case_id, fresh=True)
    check_accepted(case)
    await peers.require(case.case_id, GATE_SCHEDULE)
    await find_case(tx, case.case_id, lock=True)
    earlier = [meeting.content for meeting in await of_case(tx, case.case_id, Meeting)]
    return ref_of(await create(tx, case, meetings.scheduled(request, earlier, tx.now)))


async def reschedule_meeting(peers: Peers, tx: Tx, request: pb.RescheduleMeetingRequest) -> RecordRef:
    """Moves a meeting; it is scheduling, and asks the same gate."""
    meeting = await load_at(tx, request.meeting_id, Meeting, "meeting_id", request.expected_version)
    await peers.require((await open_case(peers, tx, str(meeting.case_id))).case_id, GATE_SCHEDULE)
    await check_not_cancelling(tx, meeting.record_id)
    return ref_of(await tx.records.update(meeting, meetings.rescheduled(meeting.content, request, tx.now)))


async def hold_meeting(peers: Peers, tx: Tx, request: pb.HoldMeetingRequest) -> RecordRef:
    """Records what the meeting brought, and of each invitation how its agency contributed."""
    case = await open_case(peers, tx, str((await load(tx, request.meeting_id, Meeting, "meeting_id")).case_id))
    await peers.require(case.case_id, GATE_HOLD)
    await load(tx, request.meeting_id, Meeting, "meeting_id", lock=True)
    meeting = await load_at(tx, request.meeting_id, Meeting, "meeting_id", request.expected_version)
    await check_not_cancelling(tx, meeting.record_id)
    held = await tx.records.update(meeting, meetings.held(meeting.content, request, tx.region, tx.now))
    invited = await of_case(tx, case.case_id, Invitation, lambda found: found.meeting_id == str(meeting.record_id))
    for invitation in invited:
        await tx.records.update(invitation, invitations.closed_by(invitation.content, held.content))
    return ref_of(held)
