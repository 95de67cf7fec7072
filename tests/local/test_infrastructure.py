"""The real servers hold what the region says: who may connect, read and write."""

import asyncio
import json
import uuid

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from kafka.admin import ConfigResource, ConfigResourceType

from ecm.admin import kafka_sync
from ecm.admin.topics import accesses, retentions, topics
from ecm.admin.whole_topics import client_settings
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.clock import SystemClock
from ecm.kit.names import SERVICES
from ecm.local.stack import Stack


@pytest.mark.parametrize("service", SERVICES)
async def test_the_owner_makes_tables_and_the_app_role_does_not(infrastructure: Stack, service: str) -> None:
    owner = await asyncpg.connect(infrastructure.database_url(service, "owner"))
    app = await asyncpg.connect(infrastructure.database_url(service, "app"))
    try:
        await owner.execute("CREATE TABLE probe (n int); GRANT SELECT ON probe TO PUBLIC")
        assert await app.fetch("SELECT * FROM probe") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("CREATE TABLE another (n int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("DROP TABLE probe")
    finally:
        await owner.execute("DROP TABLE IF EXISTS probe")
        await owner.close()
        await app.close()


async def test_nobody_enters_anothers_database(infrastructure: Stack) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(infrastructure.database_url("referrals"), database="ecm_consent")


async def test_a_wrong_password_opens_nothing(infrastructure: Stack) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(infrastructure.database_url("referrals"), password="guess")


async def test_postgres_is_durable_and_checks_its_pages(infrastructure: Stack) -> None:
    connection = await asyncpg.connect(infrastructure.database_url("referrals"))
    try:
        names = ("fsync", "synchronous_commit", "data_checksums")
        shown = {name: await connection.fetchval(f"SHOW {name}") for name in names}
    finally:
        await connection.close()
    assert shown == {"fsync": "on", "synchronous_commit": "on", "data_checksums": "on"}


async def test_a_service_publishes_and_its_consumer_reads(infrastructure: Stack) -> None:
    topic, sent = "ecm.example.referrals.v1", uuid.uuid4().bytes
    producer = AIOKafkaProducer(
        **client_settings(infrastructure.kafka("ecm-referrals")), enable_idempotence=True, acks="all"
    )
    consumer = AIOKafkaConsumer(
        topic,
        **client_settings(infrastructure.kafka("ecm-monitoring")),
        group_id=f"ecm-monitoring.{uuid.uuid4()}",
        auto_offset_reset="earliest",
    )
    await producer.start()
    await consumer.start()
    try:
        await producer.send_and_wait(topic, sent)
        async with asyncio.timeout(20):
            while (await consumer.getone()).value != sent:
                pass
        assert len(consumer.partitions_for_topic(topic) or ()) == 6
    finally:
        await consumer.stop()
        await producer.stop()


def test_dead_letters_outlast_a_holiday_whatever_a_hand_has_set(infrastructure: Stack) -> None:
    dead, events = "ecm.example.referrals.v1.monitoring.dlq", "ecm.example.referrals.v1"
    region, known = infrastructure.load_region(), infrastructure.kafka("ecm-admin")
    clients = [client.id for client in region.clients if client.topic]
    passwords = json.loads(infrastructure.paths.passwords_file.read_text())["kafka"]

    def kept(topic: str) -> str:
        with kafka_sync.admin(known.bootstrap, known.password) as client:
            asked = [ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": ""})]
            return str(client.describe_configs(asked, config_filter="all")["topic"][topic]["retention.ms"]["value"])

    def settle(days: int | None) -> None:
        said = region.model_copy(update={"dead_letter_days": days})
        names, rights = topics(region.slug, clients), accesses(region.slug, clients)
        kafka_sync.sync(known.bootstrap, passwords, names, rights, partitions=6, retentions=retentions(said))

    assert (kept(dead), kept(events)) == ("-1", str(7 * 86_400_000))
    settle(days=30)
    assert kept(dead) == str(30 * 86_400_000)
    settle(days=None)
    assert (kept(dead), kept(events)) == ("-1", str(7 * 86_400_000))


@pytest.mark.parametrize(
    ("who", "topic"),
    [
        ("nhs-psychology", "ecm.example.client.la-eastvale.v1"),
        ("nhs-psychology", "ecm.example.referrals.v1"),
        ("ecm-monitoring", "ecm.example.consent.v1"),
        ("ecm-referrals", "ecm.example.client.nhs-psychology.v1"),
    ],
)
async def test_what_is_not_granted_is_denied(infrastructure: Stack, who: str, topic: str) -> None:
    consumer = AIOKafkaConsumer(topic, **client_settings(infrastructure.kafka(who)), group_id=f"{who}.probe")
    with pytest.raises(TopicAuthorizationFailedError):
        try:
            await asyncio.wait_for(consumer.start(), 10)
            await asyncio.wait_for(consumer.getone(), 10)
        finally:
            await asyncio.wait_for(consumer.stop(), 10)


async def test_a_partner_may_not_use_anothers_group(infrastructure: Stack) -> None:
    own = "ecm.example.client.nhs-psychology.v1"
    consumer = AIOKafkaConsumer(
        own, **client_settings(infrastructure.kafka("nhs-psychology")), group_id="la-eastvale.inbox"
    )
    with pytest.raises(GroupAuthorizationFailedError):
        try:
            await asyncio.wait_for(consumer.start(), 10)
            await asyncio.wait_for(consumer.getone(), 10)
        finally:
            await consumer.stop()


async def test_a_partner_sees_its_own_topic_alone(infrastructure: Stack) -> None:
    consumer = AIOKafkaConsumer(**client_settings(infrastructure.kafka("la-eastvale")))
    await consumer.start()
    try:
        assert await consumer.topics() == {"ecm.example.client.la-eastvale.v1"}
    finally:
        await consumer.stop()


async def test_a_partner_writes_nowhere(infrastructure: Stack) -> None:
    producer = AIOKafkaProducer(**client_settings(infrastructure.kafka("nhs-psychology")), request_timeout_ms=3000)
    await producer.start()
    try:
        with pytest.raises(KafkaError):
            await asyncio.wait_for(producer.send_and_wait("ecm.example.client.nhs-psychology.v1", b"forged"), 10)
    finally:
        await producer.stop()


async def test_the_services_verifier_accepts_the_issuers_tokens(infrastructure: Stack) -> None:
    issuer = infrastructure.plan.issuer
    async with httpx.AsyncClient() as http:
        people = TokenVerifier(issuer, f"{issuer}/jwks.json", "ecm-referrals", SystemClock(), http)
        claims = await people.verify(infrastructure.token(person="case-manager"))
        assert [(role.yot, role.role) for role in claims.ecm_roles] == [("eastvale", "case-manager")]
        partners = TokenVerifier(issuer, f"{issuer}/jwks.json", infrastructure.addresses["fhir"], SystemClock(), http)
        assert (await partners.verify(infrastructure.token(client="nhs-psychology"))).azp == "nhs-psychology"


def test_the_state_file_tells_no_secret(infrastructure: Stack) -> None:
    passwords = json.loads(infrastructure.paths.passwords_file.read_text())
    shown = infrastructure.paths.state_file.read_text() + infrastructure.paths.plan_file.read_text()
    logged = "".join(path.read_text() for path in infrastructure.paths.logs.glob("*.log"))
    for words in passwords.values():
        assert not any(word in shown or word in logged for word in words.values())
