"""What is alike in every region: names of databases and administrators, who reads whom, what tokens are like."""

from typing import Final

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
TOKEN_SECONDS: Final = 300
"""How long an access token lives, whichever the issuer."""
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""The grant by which the local issuer gives people's tokens (RFC 7523)."""


def database(service: str) -> str:
    """The PostgreSQL database of a service."""
    return f"ecm_{service}"


def owner_role(service: str) -> str:
    """The role that migrates a service's database."""
    return f"{database(service)}_owner"


def app_role(service: str) -> str:
    """The role that serves from a service's database: no DDL."""
    return f"{database(service)}_app"
