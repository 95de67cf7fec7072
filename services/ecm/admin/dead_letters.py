"""Dead letters of a region: what a consumer has given up, and what became of it since.

A topic can't be changed, so what is decided about a letter is a record behind it on
the same topic: sent again, or set aside with a reason. A consumer that is killed just
after it gave an event up does so again: its copies are one letter.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from ecm.admin.errors import OperatorError
from ecm.admin.names import KAFKA_ADMIN
from ecm.admin.running import RunningRegion
from ecm.admin.topics import dead_letter_topics
from ecm.admin.whole_topics import client_settings, read_whole
from ecm.kit.bus.dead_letters import PREFIX, origin_headers
from ecm.kit.bus.topics import dead_letter_topic, service_topic

SETTLES: Final = "ecm-settles"
SETTLED: Final = "ecm-settled"
WHY: Final = "ecm-settled-why"
AT: Final = "ecm-settled-at"
SEND_SECONDS = 15.0

Place = tuple[str, str]
"""Where a record stands: its topic, and `partition:offset`."""
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
    names = dead_letter_topics(region.load_region().slug)
    with _kafka("read"), closing(KafkaConsumer(**_access(region), enable_auto_commit=False)) as consumer:
        records = read_whole(consumer, list(names))
    settled = {(record.topic, _text(record)[SETTLES]): record for record in records if SETTLES in _text(record)}
    return [
        _letter(copies[0], *names[copies[0].topic], _text(decision) if decision else {})
        for copies in copied([record for record in records if SETTLES not in _text(record)], settled)
        for decision in [_decision(copies, settled)]
    ]


def copied(buried: Sequence[Any], settled: Mapping[Place, Any]) -> list[list[Any]]:
    """Records of dead letters, by partition and offset, put together: each list is one letter, the first its name.

    Copies are of the same message, or of the same event as long as nobody has decided: an event that is sent again
    and given up again is another letter. `settled`: the decisions, by the topic and "partition:offset" of the letter.
    """
    letters: list[list[Any]] = []
    found: dict[tuple[str, ...], list[Any]] = {}
    for record in buried:
        said = _text(record)
        message = (record.topic, *(said.get(PREFIX + name, "") for name in ("topic", "partition", "offset")))
        event = (record.topic, said["ce_id"]) if "ce_id" in said else message
        letter = found.get(message) or _undecided_at(record, found.get(event, []), settled)
        if letter is None:
            letter = found[event] = []
            letters.append(letter)
        letter.append(record)
        found[message] = letter
    return letters


def _undecided_at(record: Any, letter: list[Any], settled: Mapping[Place, Any]) -> list[Any] | None:
    """The letter, where nobody had decided about it when the record was written. All of an event are in one order."""
    decision = _decision(letter, settled)
    return letter if letter and (decision is None or decision.offset > record.offset) else None


def _decision(letter: list[Any], settled: Mapping[Place, Any]) -> Any | None:
    places = [(copy.topic, f"{copy.partition}:{copy.offset}") for copy in letter]
    return next((settled[place] for place in places if place in settled), None)


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
    topic = dead_letter_topic(service_topic(region.load_region().slug, letter.source), letter.consumer)
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
