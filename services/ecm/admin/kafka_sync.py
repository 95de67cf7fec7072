"""Brings a broker to what the region says: topics, credentials, ACLs. Idempotent; removes what isn't meant.

By kafka-python, since aiokafka has no API for ACLs and SCRAM credentials. It blocks: call it from a thread.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError

from ecm.admin.errors import OperatorError
from ecm.admin.names import KAFKA_ADMIN
from ecm.admin.topics import Access

KINDS = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.CLUSTER}
OPERATIONS = {
    "read": ACLOperation.READ,
    "write": ACLOperation.WRITE,
    "describe": ACLOperation.DESCRIBE,
    "idempotent-write": ACLOperation.IDEMPOTENT_WRITE,
}
# The least that Kafka allows. Passwords are 192 random bits: iterations would only cost time.
SCRAM_ITERATIONS = 4096
ENFORCED_SECONDS = 60.0
RETENTION = "retention.ms"


@contextmanager
def admin(bootstrap: str, password: str, timeout_ms: int = 5000) -> Iterator[KafkaAdminClient]:
    """A connected administrator. Raises `KafkaError` where the broker doesn't answer in time."""
    client = KafkaAdminClient(
        bootstrap_servers=bootstrap,
        client_id=KAFKA_ADMIN,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=KAFKA_ADMIN,
        sasl_plain_password=password,
        request_timeout_ms=timeout_ms,
        bootstrap_timeout_ms=timeout_ms,
    )
    try:
        yield client
    finally:
        client.close()


def answers(bootstrap: str, password: str) -> bool:
    """Whether the broker lists its topics: an open port alone isn't ready."""
    try:
        with admin(bootstrap, password, timeout_ms=2000) as client:
            client.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return False
    return True


def sync(
    bootstrap: str,
    passwords: Mapping[str, str],
    topics: Iterable[str],
    accesses: Iterable[Access],
    *,
    partitions: int,
    retentions: Mapping[str, int],
) -> None:
    """Make the broker hold exactly this. `passwords` by principal, the administrator's among them."""
    try:
        with admin(bootstrap, passwords[KAFKA_ADMIN], timeout_ms=60_000) as client:
            _sync_credentials(client, {name: word for name, word in passwords.items() if name != KAFKA_ADMIN})
            _sync_topics(client, list(topics), partitions)
            _sync_retentions(client, {name: str(milliseconds) for name, milliseconds in retentions.items()})
            _sync_acls(client, {_acl(access) for access in accesses})
    except KafkaError as error:
        raise OperatorError(
            f"Kafka's topics and rights can't be set: {type(error).__name__}: {error}",
            "See Kafka's log, then run the same again.",
        ) from error


def _sync_credentials(client: KafkaAdminClient, passwords: Mapping[str, str]) -> None:
    present = set(client.describe_user_scram_credentials()) - {KAFKA_ADMIN}
    mechanism = ScramMechanism.SCRAM_SHA_512
    wanted = [
        UserScramCredentialUpsertion(name, mechanism, word, iterations=SCRAM_ITERATIONS)
        for name, word in passwords.items()
    ]
    removed = [UserScramCredentialDeletion(name, mechanism) for name in sorted(present - set(passwords))]
    refused = {name: why for name, why in client.alter_user_scram_credentials([*wanted, *removed]).items() if why}
    if refused:
        raise OperatorError(f"Kafka refused credentials: {refused}.", "See Kafka's log.")


def _sync_topics(client: KafkaAdminClient, topics: list[str], partitions: int) -> None:
    """Make missing topics. One that is there keeps its partitions: another number would break order."""
    present = set(client.list_topics())
    missing = {name: {"num_partitions": partitions, "replication_factor": 1} for name in topics if name not in present}
    if missing:
        client.create_topics(missing, timeout_ms=60_000, wait_for_metadata=True)


def _sync_retentions(client: KafkaAdminClient, wanted: Mapping[str, str]) -> None:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, {RETENTION: ""}) for name in wanted]
    found = client.describe_configs(asked, config_filter="all")["topic"]
    wrong = {name: value for name, value in wanted.items() if found[name][RETENTION]["value"] != value}
    if wrong:
        kind = ConfigResourceType.TOPIC
        client.alter_configs([ConfigResource(kind, name, {RETENTION: value}) for name, value in wrong.items()])


def _sync_acls(client: KafkaAdminClient, wanted: set[ACL]) -> None:
    present = _acls(client)
    if missing := list(wanted - present):
        failed = client.create_acls(missing)["failed"]
        if failed:
            raise OperatorError(f"Kafka refused {len(failed)} permissions: {failed[0]}.", "See Kafka's log.")
    if extra := list(present - wanted):
        client.delete_acls(extra)
    # The controller has them; the broker enforces them a moment later, and so answers for them.
    until = time.monotonic() + ENFORCED_SECONDS
    while _acls(client) != wanted:
        if time.monotonic() > until:
            raise OperatorError("Kafka doesn't enforce the permissions it was given.", "See Kafka's log.")
        time.sleep(0.02)


def _acls(client: KafkaAdminClient) -> set[ACL]:
    everything = ACLFilter(
        principal=None,
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    found, _ = client.describe_acls(everything)
    return set(found)


def _acl(access: Access) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if access.prefix else ACLResourcePatternType.LITERAL
    return ACL(
        principal=f"User:{access.principal}",
        host="*",
        operation=OPERATIONS[access.operation],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(KINDS[access.kind], access.name, pattern),
    )
