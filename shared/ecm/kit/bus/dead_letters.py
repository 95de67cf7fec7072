"""Events that a consumer can't handle: kept on a topic of their own with the class of the error, replayable."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ecm.kit.bus.events import Headers
from ecm.kit.bus.producer import ProducerFactory, Sender
from ecm.kit.bus.topics import dead_letter_topic
from ecm.kit.errors import DomainError

PREFIX = "ecm-dead-"


class DeadLetters:
    """Where one consumer puts what it can't handle."""

    def __init__(self, consumer: str, topics: Iterable[str], producer_factory: ProducerFactory) -> None:
        self._consumer = consumer
        self._senders = {topic: Sender(producer_factory, dead_letter_topic(topic, consumer)) for topic in topics}

    async def bury(self, message: Any, error: Exception, attempts: int, at: datetime) -> None:
        """Sends the message as it came, with why and whence; SendFailedError where Kafka doesn't take it."""
        headers: Headers = [*message.headers, *self._why(message, error, attempts, at)]
        await self._senders[message.topic].send([(message.key or b"", message.value or b"", headers)])

    async def close(self) -> None:
        """Stops the producers, bounded."""
        for sender in self._senders.values():
            await sender.close()

    def _why(self, message: Any, error: Exception, attempts: int, at: datetime) -> Headers:
        # The error's class and reason alone: its message may quote what the record holds.
        values = {
            "error-class": type(error).__qualname__,
            "error-reason": error.reason.value if isinstance(error, DomainError) else "",
            "consumer": self._consumer,
            "topic": message.topic,
            "partition": str(message.partition),
            "offset": str(message.offset),
            "attempts": str(attempts),
            "at": at.isoformat(),
        }
        return [(PREFIX + name, value.encode()) for name, value in values.items()]


def origin_headers(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """The event's own headers, for replaying a dead letter to the topic that it came from."""
    return [(name, value) for name, value in headers if not name.startswith(PREFIX)]
