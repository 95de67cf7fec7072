"""The return, the caseload, supervision, and what goes to the exchange."""

import asyncio
from datetime import UTC, date, datetime
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.formulation.v1 import formulation_events_pb2
from ecm.api.monitoring.v1 import monitoring_service_pb2 as pb
from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Outcome, Supervision
from ecm.kit.bus.events import Event, encode_headers
from ecm.kit.bus.topics import service_topic
from ecm.kit.errors import Reason
from rpc.monitoring.owners import held_meeting

FIRST, LAST = Date(year=2026, month=1, day=1), Date(year=2026, month=6, day=30)


async def figure(monitoring, item, person="yot-manager"):
    request = pb.GetReturnRequest(yot="eastvale", period_start=FIRST, period_end=LAST)
    answer = await monitoring.call("GetReturn", request, person)
    return next(found for found in answer.figures if found.item == item)


async def test_the_caseload_is_entered_and_corrected(monitoring):
    assert not (await figure(monitoring, "192")).HasField("count")
    caseload = Caseload(yot="eastvale", period_start=FIRST, period_end=LAST, children=80)
    first = await monitoring.call("EnterCaseload", pb.EnterCaseloadRequest(caseload=caseload))
    caseload.children = 81
    second = await monitoring.call("EnterCaseload", pb.EnterCaseloadRequest(caseload=caseload))
    assert (second.ref.record_id, second.ref.version) == (first.ref.record_id, 2)
    assert (await figure(monitoring, "192", "analyst")).count == 81


async def test_a_review_is_counted(monitoring):
    before = (await figure(monitoring, "198")).count
    _, case_id = monitoring.accepted_case()
    review = {"held_on": Date(year=2026, month=4, day=1), "present": ["case-manager"], "stage_at_review": 2}
    await monitoring.call("RecordReview", pb.RecordReviewRequest(case_id=str(case_id), review=review))
    assert (await figure(monitoring, "198")).count == before + 1


async def test_another_yots_return_is_refused(monitoring, refusal):
    request = pb.GetReturnRequest(yot="westmoor", period_start=FIRST, period_end=LAST)
    assert (await refusal(monitoring.call("GetReturn", request, "analyst"))).reason is Reason.PERMISSION_DENIED


async def test_a_meeting_is_heard_by_its_event(monitoring, infrastructure):
    child, case_id = monitoring.accepted_case(with_meeting=False)
    request = pb.RecordOutcomeRequest(case_id=str(case_id), outcome=Outcome(kind=3, on=FIRST))
    await monitoring.call("RecordOutcome", request)
    before = (await figure(monitoring, "197")).count
    twice, once = (
        monitoring.kept.keep("MEETING", held_meeting(date(2026, 3, day)), child_id=child, case_id=case_id)
        for day in (1, 2)
    )
    asked = monitoring.kept.asked
    await publish(infrastructure, twice, times=2)
    await publish(infrastructure, once, times=1)
    async with asyncio.timeout(20):
        # Same key, same partition: once the last has arrived, the repetition was read, too.
        while (await figure(monitoring, "197")).count < before + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (await figure(monitoring, "197")).count == before + 2
    assert monitoring.kept.asked == asked + 2


async def test_supervision_is_counted_and_never_streamed(monitoring, infrastructure):
    session = Supervision(held_on=Date(year=2026, month=5, day=1), minutes=60)
    request = pb.RecordSupervisionRequest(yot="eastvale", supervision=session)
    answer = await monitoring.call("RecordSupervision", request, "case-manager")
    assert (await figure(monitoring, "supervision-sessions")).count == 1
    connection = await asyncpg.connect(infrastructure.database_url("monitoring", "owner"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM outbox WHERE key = $1", answer.ref.record_id) == 0
        columns = await connection.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'supervision'"
        )
    finally:
        await connection.close()
    kept = {row["column_name"] for row in columns}
    assert kept == {"supervision_id", "yot", "held_on", "minutes", "in_group", "recorded_at"}


async def test_the_exchange_fetches_records_and_no_person_does(monitoring, infrastructure, refusal):
    child, case_id = monitoring.accepted_case()
    made = await monitoring.call(
        "RecordOutcome", pb.RecordOutcomeRequest(case_id=str(case_id), outcome=Outcome(kind=3, on=FIRST))
    )
    token = infrastructure.token(client="ecm-exchange", audience="ecm-monitoring")
    listed = await monitoring.call_with(token, "ListChildRecords", pb.ListChildRecordsRequest(child_id=str(child)))
    assert [(v.record_id, v.kind) for v in listed.versions] == [(made.ref.record_id, "OUTCOME")]
    versions = pb.ListRecordVersionsRequest(record_id=made.ref.record_id)
    assert len((await monitoring.call_with(token, "ListRecordVersions", versions)).versions) == 1
    denied = monitoring.call("ListChildRecords", pb.ListChildRecordsRequest(child_id=str(child)))
    assert (await refusal(denied)).reason is Reason.PERMISSION_DENIED


async def publish(stack, version, *, times):
    """The thin event of a version on formulation's topic, sent `times` over."""
    message = formulation_events_pb2.RecordChanged(
        record_id=version.record_id,
        child_id=version.child_id,
        case_id=version.case_id,
        version=version.version,
        kind=formulation_events_pb2.RECORD_KIND_MEETING,
    )
    value = message.SerializeToString()
    event = Event(
        str(uuid4()),
        message.DESCRIPTOR.full_name,
        "/example/formulation",
        datetime.now(UTC),
        version.child_id,
        "",
        value,
    )
    account = stack.kafka("ecm-formulation")
    producer = AIOKafkaProducer(
        bootstrap_servers=account.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=account.username,
        sasl_plain_password=account.password,
    )
    await producer.start()
    try:
        for _ in range(times):
            topic = service_topic("example", "formulation")
            await producer.send_and_wait(topic, value, key=event.key.encode(), headers=encode_headers(event))
    finally:
        await producer.stop()
