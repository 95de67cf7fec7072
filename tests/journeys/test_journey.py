"""The journey of one child, against separate processes as `ecm up` starts them (the issue's ten steps)."""

from collections.abc import Iterator

import pytest

from ecm.demo.journey import Journey
from ecm.demo.story import STEPS
from ecm.local.stack import Stack

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def journey(region_of_either_issuer: Stack) -> Iterator[Journey]:
    """One journey, taken step by step by the tests below in their order."""
    journey = Journey.on(region_of_either_issuer)
    yield journey
    journey.close()


@pytest.fixture(scope="module")
def taken(journey: Journey) -> list[str]:
    """Titles of the steps taken so far: a step after a failed one is not tried."""
    return []


@pytest.mark.parametrize("number", range(len(STEPS)), ids=[step.title for step in STEPS])
def test_step(journey: Journey, taken: list[str], number: int) -> None:
    if len(taken) < number:
        pytest.fail(f"an earlier step failed; {len(taken)} of {len(STEPS)} were taken")
    assert STEPS[number].take(journey)
    taken.append(STEPS[number].title)


def test_nothing_personal_is_logged(journey: Journey, taken: list[str]) -> None:
    assert len(taken) == len(STEPS)
    logged = b"".join(path.read_bytes() for path in journey.stack.paths.logs.iterdir())
    assert len(logged) > 1000
    assert [secret for secret in personal(journey) if secret.encode() in logged] == []


def test_nothing_personal_stands_on_topics(journey: Journey, taken: list[str]) -> None:
    assert len(taken) == len(STEPS)
    raw = topics(journey.stack)
    assert len(raw) > 1000
    assert [secret for secret in personal(journey) if secret.encode() in raw] == []


def personal(journey: Journey) -> tuple[str, ...]:
    """Strings of the child's that no log and no topic may hold: names, numbers, address, an answer, an entry."""
    return (
        *journey.subject.secrets,
        "Ondine",
        "hard to engage",
        "Dad violent",
        "nursery",
        "Loyal to friends",
        "01632 960001",
    )


def topics(stack: Stack) -> bytes:
    """Every byte that stands on every topic: keys, values, headers."""
    from kafka import KafkaConsumer, TopicPartition

    access = stack.kafka("ecm-admin")
    consumer = KafkaConsumer(
        bootstrap_servers=access.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=access.username,
        sasl_plain_password=access.password,
    )
    names = [name for name in consumer.topics() if name.startswith("ecm.")]
    consumer.assign([TopicPartition(name, number) for name in names for number in consumer.partitions_for_topic(name)])
    consumer.seek_to_beginning()
    found: list[bytes] = []
    while batch := consumer.poll(timeout_ms=1500):
        for records in batch.values():
            for record in records:
                found += [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
    consumer.close()
    return b"\n".join(found)
