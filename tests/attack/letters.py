"""Events on the internal topics that no service of ours would write: dead letters, and nothing stands still."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec

from attack.hostile import text
from ecm.admin.kafka_sync import admin
from ecm.admin.names import KAFKA_ADMIN
from ecm.api.formulation.v1 import formulation_events_pb2 as formulation
from ecm.api.referrals.v1 import referrals_events_pb2 as referrals
from ecm.kit.bus.producer import Sender, make_producer
from ecm.kit.bus.topics import service_topic
from ecm.kit.settings import ServiceSettings
from ecm.local.stack import Stack

OWNERS: dict[str, Any] = {"referrals": referrals, "formulation": formulation}
REGION = "example"
Message = tuple[bytes, bytes, list[tuple[str, bytes]]]


async def publish(stack: Stack, service: str, count: int, seed: int) -> int:
    """So many of them onto the service's own topic, with its own credentials."""
    given = {name.lower().removeprefix("ecm_"): value for name, value in stack.env(service).items()}
    known = {name: value for name, value in given.items() if name in ServiceSettings.model_fields}
    settings: Any = ServiceSettings(**known)  # type: ignore[arg-type]
    sender = Sender(lambda: make_producer(settings), service_topic(REGION, service))
    try:
        await sender.send([malformed(Random(f"{seed}/{number}"), service) for number in range(count)])
    finally:
        await sender.close()
    return count


def malformed(random: Random, service: str) -> Message:
    """One: no envelope, a wrong one, a value that isn't a message, a message that names nothing."""
    module = OWNERS[service]
    value: bytes = module.RecordChanged(
        record_id=text(random).encode("utf-8", "replace").decode(),
        child_id=str(uuid.UUID(int=random.getrandbits(128))),
        kind=random.choice((1, 2, 3)),
        version=random.choice((0, 1, -1, 2**31 - 1)),
    ).SerializeToString()
    headers = {
        "ce_id": str(uuid.UUID(int=random.getrandbits(128))).encode(),
        "ce_type": module.RecordChanged.DESCRIPTOR.full_name.encode(),
        "ce_source": f"/{REGION}/{service}".encode(),
        "ce_time": datetime.now(UTC).isoformat().encode(),
    }
    match random.randrange(6):
        case 0:
            headers = {}
        case 1:
            headers[random.choice(list(headers))] = b""
        case 2:
            headers["ce_time"] = text(random).encode("utf-8", "replace")
        case 3:
            headers["ce_id"] = b"a\x00b" + random.randbytes(8)
        case 4:
            value = random.randbytes(random.randrange(1, 60)) + b"\xff"
        case _:
            value = module.RecordChanged(record_id="x", child_id="y", kind=1, version=1).SerializeToString()
    return random.randbytes(16), value, list(headers.items())


@contextmanager
def administrator(stack: Stack) -> Iterator[KafkaAdminClient]:
    """Kafka's."""
    access = stack.kafka(KAFKA_ADMIN)
    with admin(access.bootstrap, access.password) as client:
        yield client


def dead(stack: Stack, service: str) -> dict[str, int]:
    """How many dead letters of the service's topic there are, by who buried them."""
    topic = service_topic(REGION, service)
    with administrator(stack) as client:
        names = [name for name in client.list_topics() if name.startswith(f"{topic}.") and name.endswith(".dlq")]
        ends = _ends(client, names)
    found: dict[str, int] = {}
    for partition, end in ends.items():
        consumer = partition.topic.removeprefix(f"{topic}.").removesuffix(".dlq")
        found[consumer] = found.get(consumer, 0) + end
    return found


def _ends(client: KafkaAdminClient, topics: list[str]) -> dict[TopicPartition, int]:
    described = client.describe_topics(topics)
    partitions = [
        TopicPartition(each.get("name") or each["topic"], part.get("partition_index", part.get("partition")))
        for each in described
        for part in each["partitions"]
    ]
    offsets = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return {partition: found.offset for partition, found in offsets.items()}


def behind(stack: Stack, service: str) -> dict[str, int]:
    """How many messages of the service's topic each consumer group hasn't done with."""
    with administrator(stack) as client:
        ends = _ends(client, [service_topic(REGION, service)])
        groups = [each["group_id"] if isinstance(each, dict) else each[0] for each in client.list_groups()]
        found: dict[str, int] = {}
        for group in groups:
            committed = client.list_group_offsets({group: list(ends)})[group]
            done = {at: getattr(c, "offset", -1) for at, c in committed.items()}
            if any(offset >= 0 for offset in done.values()):
                found[group] = sum(end - max(0, done.get(at, 0)) for at, end in ends.items())
        return found


def wait_until_buried(stack: Stack, service: str, before: dict[str, int], at_least: int) -> dict[str, int]:
    """How many dead letters each consumer has made since, once none has any message left.

    A consumer that hasn't committed anything of the topic yet isn't known to `behind`: so many must come of each.
    """
    until = time.monotonic() + 240.0
    while True:
        wait_until_done(stack, service)
        buried = {consumer: count - before[consumer] for consumer, count in dead(stack, service).items()}
        if all(count >= at_least for count in buried.values()) or time.monotonic() > until:
            return buried
        time.sleep(1)


def wait_until_done(stack: Stack, service: str, seconds: float = 240.0) -> dict[str, int]:
    """Until no consumer has any left: that one of them never is, is what would be found."""
    until = time.monotonic() + seconds
    while any((left := behind(stack, service)).values()):
        assert time.monotonic() < until, f"stands still: {left}"
        time.sleep(1)
    return left
