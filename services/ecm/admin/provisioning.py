"""Brings the infrastructure of a deployment to what its region file says, by its administrators' passwords.

Each waits until its system answers, is idempotent, and raises `OperatorError` where it can't.
"""

import asyncio
import time
from collections.abc import Callable, Iterator

from sqlalchemy.exc import DBAPIError

from ecm.admin import credentials, databases, kafka_sync
from ecm.admin.deployment import Deployment
from ecm.admin.errors import OperatorError
from ecm.admin.names import KAFKA_ADMIN, KEYCLOAK, app_role, owner_role
from ecm.admin.topics import accesses, retentions, topics
from ecm.kit.db.migrations import MigrationError, migrate
from ecm.kit.names import SERVICES

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 1.0


async def sync_databases(deployment: Deployment) -> None:
    """Roles, databases and rights of the five services, and Keycloak's where the secrets name it."""
    host, port = _postgres(deployment)
    passwords = deployment.passwords("postgres")
    superuser = passwords[credentials.SUPERUSER]
    for _ in _tries("PostgreSQL", deployment.addresses["postgres"]):
        if await databases.answers(port, superuser, host=host):
            break
        await asyncio.sleep(PAUSE_SECONDS)
    await databases.sync(port, passwords, host=host)
    if KEYCLOAK in passwords:
        await databases.sync_issuer(port, passwords, host=host)


async def migrate_databases(deployment: Deployment, told: Callable[[str], None]) -> None:
    """Every service's database to the newest schema, as its owner; `told` hears of each that is."""
    host, port = _postgres(deployment)
    passwords = deployment.passwords("postgres")
    for service in SERVICES:
        role = owner_role(service)
        try:
            url = databases.url(service, role, passwords[role], port, host)
            await migrate(f"ecm.{service}", url, app_role(service))
        except (MigrationError, DBAPIError, OSError) as error:
            raise OperatorError(f"{service} can't be migrated: {error}", "Run ecm databases sync first.") from error
        told(service)


def sync_kafka(deployment: Deployment) -> int:
    """Topics, credentials and ACLs; answers the number of topics."""
    region = deployment.load_region()
    clients = [client.id for client in region.clients if client.topic]
    passwords, bootstrap = deployment.passwords("kafka"), deployment.addresses["kafka"]
    for _ in _tries("Kafka", bootstrap):
        if kafka_sync.answers(bootstrap, passwords[KAFKA_ADMIN]):
            break
        time.sleep(PAUSE_SECONDS)
    wanted = topics(region.slug, clients)
    kafka_sync.sync(
        bootstrap,
        passwords,
        wanted,
        accesses(region.slug, clients),
        partitions=region.partitions,
        retentions=retentions(region),
    )
    return len(wanted)


def _tries(system: str, address: str) -> Iterator[None]:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        yield
    raise OperatorError(
        f"{system} doesn't take its administrator at {address} within {PATIENCE_SECONDS:g} s.",
        "Look at its log, its address and the password in the secrets.",
    )


def _postgres(deployment: Deployment) -> tuple[str, int]:
    host, _, port = deployment.addresses["postgres"].rpartition(":")
    if not host or not port.isdigit():
        raise OperatorError("Where is PostgreSQL?", "Set ECM_POSTGRES_ADDRESS to host:port.")
    return host, int(port)
