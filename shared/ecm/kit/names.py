"""What the services are called."""

from typing import Final

SERVICES: Final = ("referrals", "consent", "formulation", "monitoring", "exchange")


def service_client(service: str) -> str:
    """A service's client id at the issuer, its token audience and its Kafka principal."""
    return f"ecm-{service}"


SERVICE_CLIENTS: Final = tuple(map(service_client, SERVICES))
