"""A region with a proxy on every link: between services, to PostgreSQL, to Kafka and to the issuer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ecm.admin import credentials, databases
from ecm.admin.names import app_role
from ecm.admin.region import read_region
from ecm.kit.names import SERVICES
from ecm.local.paths import StatePaths, default_region
from ecm.local.ports import free_ports
from ecm.local.stack import Stack
from faulting.issuer import through_to_issuer
from faulting.proxy import Proxy

# Who calls whom by gRPC.
CALLS = {
    "referrals": ("consent", "formulation"),
    "consent": ("referrals", "formulation", "exchange"),
    "formulation": ("referrals", "consent"),
    "monitoring": ("referrals", "formulation"),
    "exchange": ("referrals", "consent", "formulation", "monitoring"),
}
Link = tuple[str, str]
"""Who connects, to whom: `("exchange", "postgres")`. To Kafka all go by one: ("all", "kafka")."""
KAFKA: Link = ("all", "kafka")
LINKS: tuple[Link, ...] = (
    *((service, peer) for service in SERVICES for peer in CALLS[service]),
    *((service, "postgres") for service in SERVICES),
    *((service, "issuer") for service in SERVICES),
    KAFKA,
)


@dataclass
class Linked:
    """The running region and its proxies."""

    stack: Stack
    proxies: dict[Link, Proxy] = field(default_factory=dict)


@contextmanager
def linked_region(state: Path, *, lease_seconds: float) -> Iterator[Linked]:
    """Starts the example region behind proxies; everything ends with the block."""
    region = default_region()
    assert region is not None
    names = (*SERVICES, "postgres", "kafka", "issuer")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    proxies = {link: Proxy(f"127.0.0.1:{ports[link[1]]}") for link in LINKS}
    paths = StatePaths(state.resolve())
    credentials.ensure(paths, [client.id for client in read_region(region).clients])
    settings = _settings(paths, proxies)
    try:
        with Stack.start(
            state, region=region, ports=ports, settings=settings, lease_seconds=lease_seconds, fresh_ports=True
        ) as stack:
            yield Linked(stack, proxies)
    finally:
        for proxy in proxies.values():
            proxy.close()


def _settings(paths: StatePaths, proxies: dict[Link, Proxy]) -> dict[str, dict[str, str]]:
    kafka = proxies[KAFKA].address
    return {"kafka": {"advertised": kafka}} | {
        service: {
            "ECM_DATABASE_URL": _database(paths, service, proxies[service, "postgres"]),
            "ECM_KAFKA_BOOTSTRAP": kafka,
            **through_to_issuer(proxies[service, "issuer"]),
            **{f"ECM_{peer.upper()}_ADDRESS": proxies[service, peer].address for peer in CALLS[service]},
        }
        for service in SERVICES
    }


def _database(paths: StatePaths, service: str, proxy: Proxy) -> str:
    role = app_role(service)
    password = credentials.passwords(paths)["postgres"][role]
    return databases.url(service, role, password, int(proxy.address.rsplit(":", 1)[1]))
