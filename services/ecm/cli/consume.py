"""`ecm consume`: what stands on a partner's topic."""

import asyncio
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from ecm.admin.errors import OperatorError
from ecm.admin.running import KafkaCredentials, RunningRegion
from ecm.admin.whole_topics import client_settings
from ecm.cli.options import DEFAULT_STATE, Against, State, reached
from ecm.kit.bus.topics import client_topic

START_SECONDS = 15.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(consume)


def consume(
    client: Annotated[str, typer.Option("--client", help="A client of the region file that has a topic.")],
    state: State = DEFAULT_STATE,
    against: Against = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more, until Ctrl-C.")] = False,
) -> None:
    """Print every event on a partner's topic, the oldest first, read with that partner's own credentials."""
    asyncio.run(_consume(reached(state, against), client, follow))


async def _consume(stack: RunningRegion, client: str, follow: bool) -> None:
    topic = client_topic(stack.load_region().slug, client)
    consumer = _consumer(topic, stack.kafka(client))
    try:
        await asyncio.wait_for(consumer.start(), START_SECONDS)
    except Exception as error:  # aiokafka raises its own, OSError or a timeout
        await consumer.stop()
        raise OperatorError(f"Kafka doesn't answer ({type(error).__name__}).", "Start it: ecm up.") from error
    try:
        await _print_all(consumer, follow)
    finally:
        await asyncio.wait_for(consumer.stop(), START_SECONDS)


async def _print_all(consumer: AIOKafkaConsumer, follow: bool) -> None:
    """Every partition to its end as it is now, and on where `follow` says so."""
    ends = await consumer.end_offsets(consumer.assignment())
    while follow or any([await consumer.position(part) < end for part, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                typer.echo(_line(record))


def _line(record: ConsumerRecord) -> str:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    value = (record.value or b"").decode("utf-8", "replace")
    return f"{headers.get('ce_type', '')}  {headers.get('ce_subject', '')}  {value}"


def _consumer(topic: str, known: KafkaCredentials) -> AIOKafkaConsumer:
    """From the topic's beginning, and without a group, so that nothing is marked as read."""
    return AIOKafkaConsumer(
        topic,
        auto_offset_reset="earliest",
        **client_settings(known),
    )
