"""Timeline, family tree and voices (checklist 111, 133, 147 to 156)."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4
from xml.etree import ElementTree as ET

from aiokafka import AIOKafkaProducer

from ecm.api.common.v1.values_pb2 import (
    PROTECTED_KIND_ADOPTION_IDENTITY,
    FreeText,
    PartialDate,
    PartialPeriod,
    ProtectedDeclaration,
)
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.api.referrals.v1.referrals_events_pb2 import RECORD_KIND_CASE, RecordChanged
from ecm.kit.bus.events import Event, encode_headers
from ecm.kit.errors import Reason
from rpc.formulation.conftest import Formulation, refused
from rpc.formulation.journey import CaseWay, entry, schedule, today


async def added(way: CaseWay, content: records.TimelineEntry) -> str:
    request = pb.AddTimelineEntryRequest(case_id=str(way.case), entry=content)
    return str((await way.service.person("senior-practitioner", "AddTimelineEntry", request)).ref.record_id)


async def drawn(way: CaseWay) -> records.Timeline:
    await way.service.person("senior-practitioner", "DrawTimeline", pb.DrawTimelineRequest(case_id=str(way.case)))
    read = pb.GetTimelineRequest(case_id=str(way.case))
    return (await way.service.person("case-manager", "GetTimeline", read)).timeline


async def test_entries_are_listed_earliest_first_and_drawn(formulation: Formulation) -> None:
    way = CaseWay.of(formulation, "DISCUSSED")
    await added(way, entry())
    since = PartialPeriod(start=PartialDate(year=2002), span=True, as_written="since 2002")
    await added(way, entry("Dad violent to Mum", period=since, certainty=records.CERTAINTY_SUSPECTED))
    listed = await formulation.person("supervisor", "ListTimeline", pb.ListTimelineRequest(case_id=str(way.case)))
    assert [each.entry.text.text for each in listed.entries] == ["Dad violent to Mum", "Mat. Gran dies"]
    timeline = await drawn(way)
    assert timeline.entries == 2
    assert timeline.drawing.HasField("declaration")
    text = " ".join(ET.fromstring(timeline.drawing.content).itertext())
    assert "since 2002" in text
    assert "2011" in text


async def test_one_undeclared_entry_leaves_the_drawing_undeclared(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    await added(way, entry())
    await added(way, entry("Moved", free=False))
    assert not (await drawn(way)).drawing.HasField("declaration")


async def test_a_retracted_entry_takes_the_drawing_with_it(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    wrong = await added(way, entry("Of another child"))
    await added(way, entry())
    await drawn(way)
    request = pb.RetractTimelineEntryRequest(entry_id=wrong, expected_version=1, reason="Of another child.")
    await formulation.person("case-manager", "RetractTimelineEntry", request)
    assert wrong in {narrowing.record.record_id for narrowing in formulation.others.narrowed}
    read = pb.GetTimelineRequest(case_id=str(way.case))
    assert (await refused(formulation.person("case-manager", "GetTimeline", read))).reason is Reason.NOT_FOUND
    again = await drawn(way)
    assert again.entries == 1
    assert b"another child" not in again.drawing.content


async def test_an_entry_is_changed_at_the_version_that_was_seen(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    entry_id = await added(way, entry())
    for version, reason in ((1, None), (1, Reason.VERSION_CONFLICT)):
        request = pb.UpdateTimelineEntryRequest(
            entry_id=entry_id, expected_version=version, entry=entry(f"v {uuid4()}")
        )
        call = formulation.person("senior-practitioner", "UpdateTimelineEntry", request)
        assert (await refused(call)).reason is reason if reason else (await call).ref.version == 2


async def test_bad_dates_are_refused_and_nothing_is_stored(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    for start in (PartialDate(year=2013, day=3), PartialDate(year=2013, month=2, day=30), PartialDate(year=2199)):
        request = pb.AddTimelineEntryRequest(case_id=str(way.case), entry=entry(period=PartialPeriod(start=start)))
        call = formulation.person("senior-practitioner", "AddTimelineEntry", request)
        assert (await refused(call)).reason is Reason.INVALID_VALUE
    listed = await formulation.person("case-manager", "ListTimeline", pb.ListTimelineRequest(case_id=str(way.case)))
    assert not listed.entries


async def test_the_family_tree_is_drawn_from_the_file(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    bullet = FreeText(text="Moved <twice>", declaration=ProtectedDeclaration())
    draw = pb.DrawGenogramRequest(case_id=str(way.case), key_information=[bullet])
    await formulation.person("case-manager", "DrawGenogram", draw)
    read = pb.GetGenogramRequest(case_id=str(way.case))
    genogram = (await formulation.person("case-manager", "GetGenogram", read)).genogram
    text = " ".join(ET.fromstring(genogram.drawing.content).itertext())
    assert all(words in text for words in ("Carol", "Joe", "Moved <twice>"))
    # Its names say who an adopted child was, which may be protected later: it never counts as free.
    assert genogram.drawing.declaration.holds == [PROTECTED_KIND_ADOPTION_IDENTITY]


async def test_the_childs_voice_is_kept(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    voice = records.ChildVoice(text=FreeText(text="I like drawing."), source="AssetPlus", said_on=today())
    await formulation.person(
        "case-manager", "RecordChildVoice", pb.RecordChildVoiceRequest(case_id=str(way.case), voice=voice)
    )
    read = pb.GetFormulationRequest(case_id=str(way.case))
    (kept,) = (await formulation.person("case-manager", "GetFormulation", read)).voices
    assert kept.voice == voice


async def test_a_case_that_is_closed_by_an_event_takes_no_entries(formulation: Formulation) -> None:
    way = CaseWay.of(formulation)
    await formulation.person("case-manager", "ScheduleMeeting", schedule(way.case))
    formulation.others.move(way.child, way.case, "CLOSED")
    changed = RecordChanged(record_id=str(way.case), child_id=str(way.child), kind=RECORD_KIND_CASE, version=2)
    await publish(formulation, changed)
    for _ in range(100):
        call = formulation.person(
            "senior-practitioner", "AddTimelineEntry", pb.AddTimelineEntryRequest(case_id=str(way.case), entry=entry())
        )
        try:
            await call
        except Exception as error:
            assert getattr(error, "reason", None) is Reason.ILLEGAL_TRANSITION
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the case's closing wasn't heard of")


async def publish(formulation: Formulation, changed: RecordChanged) -> None:
    known = formulation.stack.kafka("ecm-referrals")
    producer = AIOKafkaProducer(
        bootstrap_servers=known.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=known.username,
        sasl_plain_password=known.password,
    )
    trace = "00-" + uuid4().hex + "-0123456789abcdef-01"
    event = Event(
        str(uuid4()),
        "ecm.api.referrals.v1.RecordChanged",
        "/example/referrals",
        datetime.now(UTC),
        changed.child_id,
        trace,
        changed.SerializeToString(),
    )
    async with producer:
        await producer.send_and_wait(
            "ecm.example.referrals.v1", event.value, key=event.key.encode(), headers=encode_headers(event)
        )
