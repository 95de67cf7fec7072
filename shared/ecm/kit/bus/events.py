"""Internal events: CloudEvents in binary content mode on Kafka.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/protobuf"

LONGEST_HEADER = 500

Headers = list[tuple[str, bytes]]


class MalformedEventError(Exception):
    """A message on a topic isn't an event of ours; the message names the header that is at fault."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event, and where it was read. `type` is the full name of the protobuf message in `value`."""

    id: str
    type: str
    source: str
    time: datetime
    key: str
    traceparent: str
    value: bytes
    topic: str = ""
    partition: int = -1
    offset: int = -1


class Fetched(Protocol):
    """A message as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def source_of(region_slug: str, service: str) -> str:
    """`ce_source` of a service's events."""
    return f"/{region_slug}/{service}"


def encode_headers(event: Event) -> Headers:
    """The CloudEvents headers of an event."""
    values = {
        "ce_id": event.id,
        "ce_type": event.type,
        "ce_source": event.source,
        "ce_time": event.time.isoformat(),
        "ce_specversion": SPEC_VERSION,
        "content-type": CONTENT_TYPE,
        "traceparent": event.traceparent,
    }
    return [(name, value.encode()) for name, value in values.items()]


def decode(message: Fetched) -> Event:
    """The event in a fetched message; MalformedEventError where a required header is missing or wrong."""
    headers = _texts(message.headers)
    return Event(
        id=_required(headers, "ce_id"),
        type=_required(headers, "ce_type"),
        source=_required(headers, "ce_source"),
        time=_time(_required(headers, "ce_time")),
        key=(message.key or b"").decode(errors="replace"),
        traceparent=headers.get("traceparent", ""),
        value=message.value or b"",
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
    )


def _texts(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    return {name: (value or b"").decode(errors="replace") for name, value in headers}


def _required(headers: dict[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise MalformedEventError(f"The header {name} is missing.")
    if not value.isprintable() or len(value) > LONGEST_HEADER:
        # PostgreSQL has no NUL in its texts: such an id could be neither met nor given up.
        raise MalformedEventError(f"The header {name} isn't one that we write.")
    return value


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MalformedEventError("The header ce_time isn't a timestamp.") from None
