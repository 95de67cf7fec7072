"""An idempotent Kafka producer whose every wait is bounded, and which is replaced once it has failed.

After an outage that outlasts its request timeout, an idempotent aiokafka
producer fails for ever: it is closed, and a new one made.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ecm.kit.bus.bounds import CancelledInsideError, bounded, own_cancellations_only
from ecm.kit.bus.events import Headers
from ecm.kit.metrics import PRODUCERS_REPLACED
from ecm.kit.settings import ServiceSettings

START_SECONDS = 10.0
SEND_SECONDS = 10.0
STOP_SECONDS = 5.0

ProducerFactory = Callable[[], Any]
"""Makes an unstarted producer; called anew for each replacement."""


class SendFailedError(Exception):
    """Kafka didn't take a message in time. It may arrive nevertheless: send it again, readers know it by its id."""


def connection(settings: ServiceSettings) -> dict[str, Any]:
    """What every client of Kafka connects with: SASL_PLAINTEXT, SCRAM-SHA-512."""
    return {
        "bootstrap_servers": settings.kafka_bootstrap,
        "client_id": settings.client_id,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.kafka_username,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
        "retry_backoff_ms": 250,
    }


def make_producer(settings: ServiceSettings) -> Any:
    """An unstarted producer: idempotent, acks from all replicas, in order."""
    return AIOKafkaProducer(**connection(settings), enable_idempotence=True, acks="all", request_timeout_ms=8_000)


class Sender:
    """Sends to one topic through a producer that it replaces whenever that fails."""

    def __init__(self, factory: ProducerFactory, topic: str) -> None:
        self._factory = factory
        self._topic = topic
        self._producer: Any = None

    async def send(self, messages: Sequence[tuple[bytes, bytes, Headers]]) -> int:
        """Sends (key, value, headers) in order; returns how many are acknowledged: all, or SendFailedError is raised.

        After a failure nothing more goes out through the same producer.
        """
        try:
            async with asyncio.timeout(START_SECONDS + SEND_SECONDS):
                with own_cancellations_only():
                    await self._send_all(messages)
        except (KafkaError, OSError, TimeoutError, CancelledInsideError) as error:
            await self._discard()
            raise SendFailedError(f"{self._topic}: {type(error).__name__}") from error
        except BaseException:
            # Our own cancellation: what is under way may or may not arrive, so nothing may follow it.
            await self._discard()
            raise
        return len(messages)

    async def _send_all(self, messages: Sequence[tuple[bytes, bytes, Headers]]) -> None:
        producer = await self._started()
        waits = [await producer.send(self._topic, value, key=key, headers=headers) for key, value, headers in messages]
        await asyncio.gather(*waits)

    async def close(self) -> None:
        """Stops the producer, bounded."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await bounded(producer.stop, STOP_SECONDS, f"producer {self._topic}")

    async def _started(self) -> Any:
        if self._producer is None:
            producer = self._factory()
            try:
                # A wrong password looks like an absent broker, and would be waited for.
                async with asyncio.timeout(START_SECONDS):
                    await producer.start()
            except BaseException:
                await bounded(producer.stop, STOP_SECONDS, f"producer {self._topic}")
                raise
            self._producer = producer
        return self._producer

    async def _discard(self) -> None:
        if self._producer is not None:
            PRODUCERS_REPLACED.labels(self._topic).inc()
            await self.close()
