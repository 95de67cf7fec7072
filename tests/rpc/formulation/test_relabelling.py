"""What is labelled stricter than before is told to `consent` first, and is another record."""

from typing import Any

import pytest

from ecm.api.common.v1.record_pb2 import CHANGE_CLOSED, RecordRef
from ecm.api.common.v1.values_pb2 import FreeText, ProtectedDeclaration
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.kit.errors import Reason
from rpc.formulation.conftest import Formulation, refused
from rpc.formulation.journey import CaseWay, entry

SENIOR = "senior-practitioner"


async def added(way: CaseWay, content: records.TimelineEntry) -> RecordRef:
    request = pb.AddTimelineEntryRequest(case_id=str(way.case), entry=content)
    return (await way.service.person(SENIOR, "AddTimelineEntry", request)).ref


async def listed(way: CaseWay) -> list[tuple[RecordRef, records.TimelineEntry]]:
    request = pb.ListTimelineRequest(case_id=str(way.case))
    found = await way.service.person(SENIOR, "ListTimeline", request)
    return [(each.ref, each.entry) for each in found.entries]


async def drawn(way: CaseWay) -> RecordRef:
    request = pb.DrawTimelineRequest(case_id=str(way.case))
    return (await way.service.person(SENIOR, "DrawTimeline", request)).ref


def update(held: RecordRef, content: records.TimelineEntry) -> pb.UpdateTimelineEntryRequest:
    return pb.UpdateTimelineEntryRequest(entry_id=held.record_id, expected_version=held.version, entry=content)


def withheld(formulation: Formulation) -> set[str]:
    return {told.record.record_id for told in formulation.others.narrowed if not told.record.agency}


async def newest(formulation: Formulation, record_id: str) -> Any:
    request = pb.ListRecordVersionsRequest(record_id=record_id)
    return (await formulation.service("ecm-exchange", "ListRecordVersions", request)).versions[-1]


@pytest.mark.parametrize(
    "stricter",
    [
        entry(kind=records.TIMELINE_KIND_PARENT_CARER),
        entry(family_sensitive=True),
        entry(free=False),
        entry(text="", kind=records.TIMELINE_KIND_LOSS, free=False),
    ],
    ids=["kind", "sensitive", "undeclared", "invalid"],
)
async def test_a_stricter_entry_takes_the_old_ones_place(
    formulation: Formulation, stricter: records.TimelineEntry
) -> None:
    way = CaseWay.of(formulation)
    held = await added(way, entry())
    drawing = await drawn(way)
    call = formulation.person(SENIOR, "UpdateTimelineEntry", update(held, stricter))
    if not stricter.text.text:
        assert (await refused(call)).reason is Reason.MISSING_VALUE
        assert [ref for ref, _ in await listed(way)] == [held]
        return
    fresh = (await call).ref
    assert fresh.record_id != held.record_id
    assert await listed(way) == [(fresh, stricter)]
    assert {held.record_id, drawing.record_id} <= withheld(formulation)
    for gone in (held, drawing):
        assert (await newest(formulation, gone.record_id)).change == CHANGE_CLOSED
    again = formulation.person(SENIOR, "UpdateTimelineEntry", update(held, entry()))
    assert (await refused(again)).reason is Reason.NOT_FOUND
    assert (await drawn(way)).record_id != drawing.record_id


async def test_a_change_that_isnt_stricter_is_a_new_version_and_consent_isnt_asked(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    held = await added(way, entry(free=False))
    fresh = (await formulation.person(SENIOR, "UpdateTimelineEntry", update(held, entry("Grandmother dies")))).ref
    assert (fresh.record_id, fresh.version) == (held.record_id, 2)
    assert held.record_id not in withheld(formulation)


async def test_while_consent_is_away_it_is_recorded_once_and_completed_later(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    held = await added(way, entry())
    stricter = update(held, entry(free=False))
    formulation.others.away = True
    away = await refused(formulation.person(SENIOR, "UpdateTimelineEntry", stricter, "relabel-once"))
    assert away.reason is Reason.CONSENT_UNREACHABLE
    for request in (update(held, entry(family_sensitive=True)), update(held, entry("Other words"))):
        refusal = await refused(formulation.person(SENIOR, "UpdateTimelineEntry", request))
        assert refusal.reason is Reason.VERSION_CONFLICT
    assert (await refused(drawn(way))).reason is Reason.VERSION_CONFLICT
    formulation.others.away = False
    first = await formulation.person(SENIOR, "UpdateTimelineEntry", stricter, "relabel-once")
    assert await formulation.person(SENIOR, "UpdateTimelineEntry", stricter, "relabel-once") == first
    assert [ref for ref, _ in await listed(way)] == [first.ref]


async def test_a_drawing_that_isnt_free_any_more_takes_the_old_ones_place(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)

    def draw(*bullets: FreeText) -> Any:
        request = pb.DrawGenogramRequest(case_id=str(way.case), key_information=bullets)
        return formulation.person(SENIOR, "DrawGenogram", request)

    free = FreeText(text="Moved twice", declaration=ProtectedDeclaration())
    first = (await draw(free)).ref
    assert (await draw(free, free)).ref == RecordRef(record_id=first.record_id, version=2)
    second = (await draw(free, FreeText(text="Lives here"))).ref
    assert second.record_id != first.record_id
    assert first.record_id in withheld(formulation)
    assert (await newest(formulation, first.record_id)).change == CHANGE_CLOSED
    third = (await draw(FreeText(text="Moved twice"))).ref
    assert third.record_id not in (first.record_id, second.record_id)
    assert (await draw(free)).ref == RecordRef(record_id=third.record_id, version=2)
