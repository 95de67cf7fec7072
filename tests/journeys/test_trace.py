"""One trace id follows one command: from gRPC through Kafka to the projection."""

import json
import secrets
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from ecm.api.referrals.v1.referrals_service_pb2 import SaveReferralFormRequest
from ecm.demo import material
from ecm.demo.journey import Journey, until
from ecm.demo.steps import consenting, referring
from ecm.kit.bus.topics import service_topic
from ecm.local.stack import Stack

SAVE = "/ecm.api.referrals.v1.ReferralsService/SaveReferralForm"
FETCH = "/ecm.api.referrals.v1.ReferralsService/ListRecordVersions"
Line = dict[str, Any]


@pytest.fixture(scope="module")
def journey(region: Stack) -> Iterator[Journey]:
    """A child with consent: from here on the exchange follows every record."""
    made = Journey.on(region)
    made.subject = material.Subject("Isolde", "Featherwick", "9990000301", f"EV-{uuid.uuid4()}", made.subject.born)
    referring.register(made)
    referring.refer(made)
    consenting.consent(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def trace_id(journey: Journey) -> str:
    """The trace of one SaveReferralForm, as its caller began it."""
    trace_id = secrets.token_hex(16)
    form = material.referral_form(journey.subject, journey.today)
    form.voluntary_months += 1
    request = SaveReferralFormRequest(case_id=journey.ids["case"], expected_version=journey.versions["form"], form=form)
    metadata = (
        ("authorization", f"Bearer {journey.stack.token(person='case-manager')}"),
        ("idempotency-key", str(uuid.uuid4())),
        ("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01"),
    )
    ref = journey.yot.referrals.SaveReferralForm(request, metadata=metadata, timeout=10).ref
    journey.ids["form"], journey.versions["form"] = ref.record_id, ref.version
    return trace_id


def lines(journey: Journey, part: str, trace_id: str, event: str) -> list[Line]:
    """What a part logged in that trace under that name."""
    logged = (line for line in journey.stack.paths.log(part).read_text().splitlines() if trace_id in line)
    found = [json.loads(line) for line in logged]
    return [line for line in found if (line["trace_id"], line["event"]) == (trace_id, event)]


def test_the_owners_log_has_it(journey: Journey, trace_id: str) -> None:
    (line,) = (line for line in lines(journey, "referrals", trace_id, "call") if line["method"] == SAVE)
    assert (line["code"], line["service"]) == ("OK", "referrals")


def test_the_record_on_kafka_carries_it(journey: Journey, trace_id: str) -> None:
    found = until(lambda: records(journey, trace_id), "the form's event is on the topic")
    assert len(found) == 1
    assert found[0].key.decode() == journey.ids["child"]
    assert dict(found[0].headers)["ce_type"] == b"ecm.api.referrals.v1.RecordChanged"


def test_the_exchange_logs_the_projection_in_it(journey: Journey, trace_id: str) -> None:
    (line,) = until(lambda: lines(journey, "exchange", trace_id, "projection.replaced"), "the form is projected")
    form = {"record_id": journey.ids["form"], "kind": "REFERRAL_FORM", "version": journey.versions["form"]}
    assert {name: line[name] for name in form} == form
    assert line["count"] >= 1
    known = {"ts", "level", "service", "event", "trace_id", "span_id", "count"} | set(form)
    assert set(line) == known, "ids and numbers alone"


def test_the_exchange_fetched_it_within_the_same_trace(journey: Journey, trace_id: str) -> None:
    fetches = until(
        lambda: [one for one in lines(journey, "referrals", trace_id, "call") if one["method"] == FETCH],
        "the exchange asks the owner",
    )
    assert "ecm-exchange" in {one["azp"] for one in fetches}


def test_spans_differ_along_the_way(journey: Journey, trace_id: str) -> None:
    called = lines(journey, "referrals", trace_id, "call")
    projected = lines(journey, "exchange", trace_id, "projection.replaced")
    spans = [line["span_id"] for line in (*called, *projected)]
    assert len(set(spans)) == len(spans) >= 3


def test_another_trace_is_found_nowhere(journey: Journey) -> None:
    nobodys = secrets.token_hex(16)
    assert not lines(journey, "referrals", nobodys, "call")
    assert not lines(journey, "exchange", nobodys, "projection.replaced")
    assert not records(journey, nobodys)


def records(journey: Journey, trace_id: str) -> list[Any]:
    """The records on the owner's topic whose `traceparent` is of that trace."""
    access = journey.stack.kafka("ecm-admin")
    consumer = KafkaConsumer(
        bootstrap_servers=access.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=access.username,
        sasl_plain_password=access.password,
        enable_auto_commit=False,
    )
    topic = service_topic(journey.stack.plan.load_region().slug, "referrals")
    try:
        parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(parts)
        consumer.seek_to_beginning()
        return [record for record in _drain(consumer) if trace_id.encode() in dict(record.headers)["traceparent"]]
    finally:
        consumer.close()


def _drain(consumer: KafkaConsumer, seconds: float = 1.5) -> Iterator[Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for found in consumer.poll(timeout_ms=200).values():
            end = time.monotonic() + seconds
            yield from found
