"""The timeline: entries, and its drawing (checklist 147 to 156, 223)."""

from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.formulation.v1.formulation_records_pb2 import Timeline, TimelineEntry
from ecm.api.referrals.v1.referrals_records_pb2 import Child
from ecm.formulation.commands.cases import open_case
from ecm.formulation.commands.drawings import declare, keep_drawing
from ecm.formulation.commands.narrowing import check_not_leaving
from ecm.formulation.drawing.svg import MEDIA_TYPE
from ecm.formulation.drawing.timeline import draw_timeline as drawn
from ecm.formulation.model.periods import in_order
from ecm.formulation.model.timeline import check_entry, is_stricter
from ecm.formulation.model.values import check_day
from ecm.formulation.peers import Peers
from ecm.formulation.store import create, find_case, load, load_at, of_case, ref_of
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx


async def add_timeline_entry(peers: Peers, tx: Tx, request: pb.AddTimelineEntryRequest) -> RecordRef:
    """Adds an entry."""
    case = await open_case(peers, tx, request.case_id)
    check_entry(request.entry, tx.region, tx.today)
    return ref_of(await create(tx, case, request.entry))


async def makes_stricter(tx: Tx, request: pb.UpdateTimelineEntryRequest) -> bool:
    """Whether the update is a narrowing: a relabelled entry is another entry."""
    entry = await load(tx, request.entry_id, TimelineEntry, "entry_id")
    return is_stricter(entry.content, request.entry)


async def update_timeline_entry(peers: Peers, tx: Tx, request: pb.UpdateTimelineEntryRequest) -> RecordRef:
    """Replaces an entry's content by one that isn't stricter; the drawing follows when it is drawn again."""
    await load(tx, request.entry_id, TimelineEntry, "entry_id", lock=True)
    entry = await load_at(tx, request.entry_id, TimelineEntry, "entry_id", request.expected_version)
    await check_not_leaving(tx, [entry.record_id])
    await open_case(peers, tx, str(entry.case_id))
    check_entry(request.entry, tx.region, tx.today)
    return ref_of(await tx.records.update(entry, request.entry))


async def draw_timeline(peers: Peers, tx: Tx, request: pb.DrawTimelineRequest) -> RecordRef:
    """Draws all standing entries, from the year before the child's birth to today."""
    case = await open_case(peers, tx, request.case_id)
    file = await peers.family(case.child_id)
    await find_case(tx, case.case_id, lock=True)
    entries = [(entry.record_id, entry.content) for entry in await entries_of(tx, case.case_id)]
    await check_not_leaving(tx, (entry_id for entry_id, _ in entries))
    drawing = _drawing(entries, file.child, tx)
    return ref_of(await keep_drawing(tx, case, Timeline(drawing=drawing, entries=len(entries))))


async def entries_of(tx: Tx, case_id: UUID) -> list[Record[TimelineEntry]]:
    """The standing entries, earliest first."""
    return sorted(await of_case(tx, case_id, TimelineEntry), key=lambda entry: in_order(entry.content.period))


def _drawing(entries: list[tuple[UUID, TimelineEntry]], child: Child, tx: Tx) -> Document:
    born = check_day(child.date_of_birth, "date_of_birth")
    svg = drawn(entries, born, tx.today)
    drawing = Document(content_type=MEDIA_TYPE, title="Timeline", content=svg, language="en")
    return declare(drawing, [entry.text for _, entry in entries])
