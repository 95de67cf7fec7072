"""The fixed names of a region's parts: services, databases, principals and who reads whom."""

from typing import Final

SERVICES: Final = ("referrals", "consent", "formulation", "monitoring", "exchange")

INFRASTRUCTURE: Final = ("postgres", "kafka", "issuer")

# The order in which `ecm up` starts them: who is asked by others comes first.
SERVICE_ORDER: Final = ("consent", "exchange", "referrals", "formulation", "monitoring")

ALL_PARTS: Final = (*INFRASTRUCTURE, *SERVICE_ORDER)

# Which services' topics each service reads.
CONSUMES: Final[dict[str, tuple[str, ...]]] = {
    "referrals": ("formulation", "consent"),
    "consent": ("referrals", "formulation"),
    "formulation": ("referrals",),
    "monitoring": ("referrals", "formulation"),
    "exchange": ("referrals", "consent", "formulation", "monitoring"),
}

KAFKA_ADMIN: Final = "ecm-admin"
PERSON_CLIENT: Final = "ecm-cli"
KEYCLOAK: Final = "keycloak"
"""Keycloak's database and its role, where it is a region's issuer."""


def principal(service: str) -> str:
    """A service's client id at the issuer, its token audience and its Kafka principal."""
    return f"ecm-{service}"


def database(service: str) -> str:
    """The PostgreSQL database of a service."""
    return f"ecm_{service}"


def owner_role(service: str) -> str:
    """The role that migrates a service's database."""
    return f"{database(service)}_owner"


def app_role(service: str) -> str:
    """The role that serves from a service's database: no DDL."""
    return f"{database(service)}_app"
