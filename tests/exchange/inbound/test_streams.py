"""Partners' topics on real Kafka: what is said, numbered, sent and to whom."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from ecm.exchange.settings import ExchangeSettings
from ecm.exchange.streams.events import pseudonym
from ecm.exchange.streams.relay import PartnerRelay
from ecm.kit.bus.producer import make_producer
from ecm.kit.bus.topics import client_topic
from ecm.kit.clock import SystemClock
from ecm.local.stack import Stack
from exchange.inbound.world import COUNCIL, PSYCHOLOGY, World, category_grant, patient_grant

SECRETS = (b"Quillon", b"Zephyrson", b"9990000018", b"EV-0001", b"Nowhereton", b"2012-06-15")
BASE = "http://exchange.invalid/fhir"


def relay(world: World, infrastructure: Stack, heartbeat_seconds: float = 3600.0) -> PartnerRelay:
    environment = {name.lower().removeprefix("ecm_"): value for name, value in infrastructure.env("exchange").items()}
    settings = ExchangeSettings(
        **{name: value for name, value in environment.items() if name in ExchangeSettings.model_fields}
    )
    return PartnerRelay(
        world.engine,
        lambda: make_producer(settings),
        world.numbering,
        region=world.region.slug,
        fhir_base=BASE,
        clock=SystemClock(),
        heartbeat_seconds=heartbeat_seconds,
    )


async def send(world: World, sending: PartnerRelay) -> None:
    async with world.turn() as connection:
        await sending.work(connection)


async def topic(infrastructure: Stack, client: str, since: int = 0) -> list[Any]:
    """Everything on a client's topic, read by that client's own principal."""
    access = infrastructure.kafka(client)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=access.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=access.username,
        sasl_plain_password=access.password,
        auto_offset_reset="earliest",
    )
    await asyncio.wait_for(consumer.start(), 15)
    try:
        name = client_topic("example", client)
        partitions = [
            TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or range(6))
        ]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                found += batch
        return found[since:]
    finally:
        await consumer.stop()


async def test_events_say_nothing_but_where_to_fetch(world: World, infrastructure: Stack) -> None:
    before = len(await topic(infrastructure, PSYCHOLOGY))
    child = await world.child()
    await world.open_region()
    await world.grant(child, patient_grant(), category_grant("referral"))
    await world.look()
    sending = relay(world, infrastructure)
    await send(world, sending)
    await world.grant(child)
    await send(world, sending)
    await sending.close()

    mine = [one for one in await topic(infrastructure, PSYCHOLOGY) if one.key.decode() == name_of(child)]
    assert len(mine) == 8
    assert before + 8 == len(await topic(infrastructure, PSYCHOLOGY))
    assert [one for one in await topic(infrastructure, COUNCIL) if one.key.decode() == name_of(child, COUNCIL)] == []
    bodies = [orjson.loads(one.value) for one in mine]
    assert [body["sequence"] for body in bodies] == list(range(1, 9))
    assert {frozenset(body) for body in bodies} == {frozenset({"dataref", "generation", "sequence"})}
    # What closes is named as it was when it opened: one URL per resource and client.
    assert {body["dataref"] for body in bodies[:4]} == {body["dataref"] for body in bodies[4:]}
    assert all(body["dataref"].startswith(f"{BASE}/events/") for body in bodies)
    for one in mine:
        headers = {name: value.decode() for name, value in one.headers}
        assert headers["ce_subject"] == name_of(child)
        assert headers["ce_source"] == "/example/exchange"
        assert headers["ce_dataref"] == orjson.loads(one.value)["dataref"]
        raw = b"".join([one.key, one.value, *(value for _, value in one.headers)])
        assert not any(secret in raw for secret in (*SECRETS, str(child).encode()))
    kinds = [dict(one.headers)["ce_type"].decode().rsplit(".", 1)[-1] for one in mine]
    assert kinds == ["available"] * 4 + ["unavailable"] * 4


async def test_what_is_sent_isnt_sent_again(world: World, infrastructure: Stack) -> None:
    child = await world.child()
    await world.open_region()
    await world.grant(child, patient_grant())
    await world.look()
    sending = relay(world, infrastructure)
    await send(world, sending)
    await send(world, sending)
    await sending.close()
    mine = [one for one in await topic(infrastructure, PSYCHOLOGY) if one.key.decode() == name_of(child)]
    assert len(mine) == 1
    assert await world.rows("SELECT 1 FROM partner_outbox WHERE published_at IS NULL") == []


async def test_a_heartbeat_names_no_child(world: World, infrastructure: Stack) -> None:
    await world.open_region()
    sending = relay(world, infrastructure, heartbeat_seconds=0.0)
    await send(world, sending)
    await sending.close()
    beats = [one for one in await topic(infrastructure, COUNCIL) if one.key == b"heartbeat"]
    assert set(orjson.loads(beats[-1].value)) == {"generation", "sequence"}


def test_no_two_clients_call_a_child_alike() -> None:
    child = UUID("11111111-1111-4111-8111-111111111111")
    names = {pseudonym(key, client, child) for key in (b"a" * 32, b"b" * 32) for client in (PSYCHOLOGY, COUNCIL)}
    assert len(names) == 4


def name_of(child: UUID, client: str = PSYCHOLOGY) -> str:
    return pseudonym(b"k" * 32, client, child)
