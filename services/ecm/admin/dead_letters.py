"""Dead letters of a region: what a consumer has given up, and what became of it since.

A topic can't be changed, so what is decided about a letter is a record behind it on
the same topic: sent again, or set aside with a reason.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from ecm.admin.errors import OperatorError
from ecm.admin.names import CONSUMES, KAFKA_ADMIN
from ecm.admin.running import RunningRegion
from ecm.admin.whole_topics import client_settings, read_whole
from ecm.kit.bus.dead_letters import PREFIX, origin_headers
from ecm.kit.bus.topics import dead_letter_topic, service_topic

SETTLES: Final = "ecm-settles"
SETTLED: Final = "ecm-settled"
WHY: Final = "ecm-settled-why"
AT: Final = "ecm-settled-at"
SEND_SECONDS = 15.0

Outcome = Literal["replayed", "discarded"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that one consumer has given up. `outcome` is "" as long as nobody has decided."""

    consumer: str
    source: str
    partition: int
    offset: int
    headers: dict[str, str]
    key: bytes = field(repr=False)
    value: bytes = field(repr=False)
    raw_headers: list[tuple[str, bytes]] = field(repr=False)
    outcome: str = ""
    why: str = ""

    @property
    def id(self) -> str:
        """Its name on the command line: consumer, service whose event it is, partition and offset."""
        return f"{self.consumer}/{self.source}/{self.partition}/{self.offset}"

    def said(self, name: str) -> str:
        """What was noted when it was given up: `error-class`, `error-reason`, `attempts`, `at`, `topic`, …"""
        return self.headers.get(PREFIX + name, "")


def read(region: RunningRegion) -> list[DeadLetter]:
    """Every dead letter that stands on the region's topics, the oldest of each first. Raises `OperatorError`."""
    names = _topics(region)
    with _kafka("read"), closing(KafkaConsumer(**_access(region), enable_auto_commit=False)) as consumer:
        records = read_whole(consumer, list(names))
    settled = {(record.topic, _text(record)[SETTLES]): _text(record) for record in records if SETTLES in _text(record)}
    return [
        _letter(record, *names[record.topic], settled.get((record.topic, f"{record.partition}:{record.offset}"), {}))
        for record in records
        if SETTLES not in _text(record)
    ]


def find(region: RunningRegion, letter_id: str) -> DeadLetter:
    """One by its id. Raises `OperatorError` where there is none."""
    found = next((letter for letter in read(region) if letter.id == letter_id), None)
    if found is None:
        raise OperatorError(f"There is no dead letter {letter_id!r}.", "See them: ecm dlq list --all.")
    return found


def replay(region: RunningRegion, letter: DeadLetter) -> None:
    """Sends the event again, as it was first sent, to the topic that it came from; then notes that.

    Consumers that have had it know it by its id, and do nothing. Raises `OperatorError`
    where somebody has decided already, or Kafka doesn't take it.
    """
    _undecided(letter)
    headers = origin_headers(letter.raw_headers)
    with _producer(region) as producer:
        _send(producer, letter.said("topic"), letter.key, letter.value, headers)
        _settle(region, producer, letter, "replayed", "")


def discard(region: RunningRegion, letter: DeadLetter, why: str) -> None:
    """Notes that the event needs no effect any more, and why. Raises `OperatorError` like `replay`."""
    _undecided(letter)
    with _producer(region) as producer:
        _settle(region, producer, letter, "discarded", why)


def _settle(region: RunningRegion, producer: KafkaProducer, letter: DeadLetter, outcome: Outcome, why: str) -> None:
    said = {
        SETTLES: f"{letter.partition}:{letter.offset}",
        SETTLED: outcome,
        WHY: why,
        AT: datetime.now(UTC).isoformat(),
    }
    topic = dead_letter_topic(service_topic(_slug(region), letter.source), letter.consumer)
    _send(producer, topic, letter.key, b"", [(name, value.encode()) for name, value in said.items()])


def _undecided(letter: DeadLetter) -> None:
    if letter.outcome:
        raise OperatorError(f"{letter.id} was {letter.outcome} already.", "Those that wait: ecm dlq list.")


def _letter(record: Any, consumer: str, source: str, settled: dict[str, str]) -> DeadLetter:
    return DeadLetter(
        consumer=consumer,
        source=source,
        partition=record.partition,
        offset=record.offset,
        headers=_text(record),
        key=record.key or b"",
        value=record.value or b"",
        raw_headers=list(record.headers),
        outcome=settled.get(SETTLED, ""),
        why=settled.get(WHY, ""),
    )


def _text(record: Any) -> dict[str, str]:
    return {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}


def _topics(region: RunningRegion) -> dict[str, tuple[str, str]]:
    """Topic → (consumer, source)."""
    slug = _slug(region)
    return {
        dead_letter_topic(service_topic(slug, source), consumer): (consumer, source)
        for consumer, sources in CONSUMES.items()
        for source in sources
    }


def _slug(region: RunningRegion) -> str:
    return region.load_region().slug


def _access(region: RunningRegion) -> dict[str, Any]:
    return client_settings(region.kafka(KAFKA_ADMIN))


@contextmanager
def _producer(region: RunningRegion) -> Iterator[KafkaProducer]:
    with _kafka("written"), closing(KafkaProducer(**_access(region), acks="all")) as producer:
        yield producer


def _send(producer: KafkaProducer, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
    producer.send(topic, value, key=key, headers=headers).get(SEND_SECONDS)


@contextmanager
def _kafka(what: str) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        message = f"The dead letters can't be {what}: Kafka doesn't answer ({type(error).__name__})."
        raise OperatorError(message, "Start it: ecm up.") from error
