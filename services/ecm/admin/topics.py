"""Which topics a region has, and who may do what on them: the broker's side of "nobody reads another's"."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ecm.admin.names import CONSUMES
from ecm.kit.bus.topics import client_topic, dead_letter_topic, service_topic
from ecm.kit.names import SERVICES, service_client
from ecm.kit.region import Region

DAY_MILLISECONDS = 24 * 60 * 60 * 1000

Kind = Literal["topic", "group", "cluster"]
Operation = Literal["read", "write", "describe", "idempotent-write"]


@dataclass(frozen=True, slots=True)
class Access:
    """One permission: `principal` may do `operation` on the `kind` called `name`, or on all that begin with it."""

    principal: str
    kind: Kind
    name: str
    operation: Operation
    prefix: bool = False


def topics(region: str, clients: Iterable[str]) -> list[str]:
    """Every topic of a region: the services', their consumers' dead letters, the clients'."""
    owned = [service_topic(region, service) for service in SERVICES]
    return [*owned, *dead_letter_topics(region), *(client_topic(region, client) for client in clients)]


def dead_letter_topics(region: str) -> dict[str, tuple[str, str]]:
    """Topic → consumer, and the service whose events it has given up there."""
    return {
        dead_letter_topic(service_topic(region, source), consumer): (consumer, source)
        for consumer, sources in CONSUMES.items()
        for source in sources
    }


def retentions(region: Region) -> dict[str, int]:
    """Topic → how many milliseconds it keeps its records, where that isn't the broker's to say; -1: for good."""
    days = region.dead_letter_days
    return dict.fromkeys(dead_letter_topics(region.slug), -1 if days is None else days * DAY_MILLISECONDS)


def accesses(region: str, clients: Iterable[str]) -> list[Access]:
    """Every permission of a region. What isn't here is denied."""
    names = list(clients)
    services = [access for service in SERVICES for access in _service(region, service)]
    exchange = service_client("exchange")
    to_clients = [
        Access(exchange, "topic", client_topic(region, name), operation) for name in names for operation in _WRITER
    ]
    return [*services, *to_clients, *(access for name in names for access in _client(region, name))]


_WRITER: tuple[Operation, ...] = ("write", "describe")
_READER: tuple[Operation, ...] = ("read", "describe")


def _service(region: str, service: str) -> Iterator[Access]:
    """A service writes its own topic, reads those it consumes, and keeps their dead letters."""
    who = service_client(service)
    yield Access(who, "cluster", "kafka-cluster", "idempotent-write")
    yield Access(who, "group", who, "read", prefix=True)
    for operation in _WRITER:
        yield Access(who, "topic", service_topic(region, service), operation)
    for source in CONSUMES[service]:
        topic = service_topic(region, source)
        for operation in _READER:
            yield Access(who, "topic", topic, operation)
        for operation in ("read", "write", "describe"):
            yield Access(who, "topic", dead_letter_topic(topic, service), operation)


def _client(region: str, client: str) -> Iterator[Access]:
    """A partner reads its own topic, in groups that begin with its own name and a dot."""
    for operation in _READER:
        yield Access(client, "topic", client_topic(region, client), operation)
    yield Access(client, "group", f"{client}.", "read", prefix=True)
