"""Reads topics from their beginning to where they end now, with nothing marked as read."""

import time
from collections.abc import Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ecm.admin.running import KafkaCredentials

READ_SECONDS = 20.0


def client_settings(known: KafkaCredentials) -> dict[str, Any]:
    """What clients of kafka-python and aiokafka connect with."""
    return {
        "bootstrap_servers": known.bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": known.username,
        "sasl_plain_password": known.password,
    }


def read_whole(consumer: KafkaConsumer, topics: Sequence[str]) -> list[Any]:
    """All records that stand on the topics now, by partition and offset. KafkaError where that takes too long."""
    parts = [TopicPartition(topic, number) for topic in topics for number in _partitions(consumer, topic)]
    consumer.assign(parts)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(parts)
    found: dict[TopicPartition, list[Any]] = {part: [] for part in parts}
    until = time.monotonic() + READ_SECONDS
    while any(consumer.position(part) < ends[part] for part in parts):
        if time.monotonic() > until:
            raise KafkaError("A topic wasn't read in time.")
        for part, records in consumer.poll(timeout_ms=200).items():
            found[part] += records
    return [record for part in parts for record in found[part]]


def _partitions(consumer: KafkaConsumer, topic: str) -> list[int]:
    found = consumer.partitions_for_topic(topic)
    if not found:
        raise KafkaError(f"The partitions of {topic} aren't known now.")
    return sorted(found)
