"""What a region's realm must hold: a pure function of the region file, the keys and the demo's people."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecm.admin.errors import OperatorError
from ecm.admin.keycloak import clients, people, scopes
from ecm.admin.keycloak.configuration import PROFILE, Configuration, Item, Kind
from ecm.admin.keycloak.keys import Keys
from ecm.admin.names import TOKEN_SECONDS
from ecm.admin.people import Person
from ecm.kit.region import Region

SHORTEST_PASSWORD = 24


@dataclass(frozen=True, slots=True)
class Wish:
    """All that a realm follows from. `demo` are the people of people.yaml, None for a region of real people."""

    region: Region
    fhir_base: str
    keys: Keys
    demo: Mapping[str, Person] | None = None
    password: str = field(default="", repr=False)


def wanted(wish: Wish) -> Configuration:
    """The realm. Raises `OperatorError` where keys, people or the password don't fit."""
    _check(wish)
    region, demo = wish.region, wish.demo is not None
    return {
        Kind.REALM: {region.slug: _realm(region)},
        Kind.PROFILE: {PROFILE: people.profile()},
        Kind.ROLE: people.roles(),
        Kind.SCOPE: scopes.wanted(wish.fhir_base),
        Kind.CLIENT: clients.wanted(region, wish.keys, demo=demo),
        Kind.ORGANIZATION: people.organizations(region),
        Kind.GROUP: people.groups(region, demo=demo),
        Kind.PERSON: people.people(region, wish.demo or {}, wish.password),
    }


def _realm(region: Region) -> Item:
    return {
        "enabled": True,
        "displayName": region.name,
        "organizationsEnabled": True,
        "accessTokenLifespan": TOKEN_SECONDS,
        "accessTokenLifespanForImplicitFlow": TOKEN_SECONDS,
        "defaultSignatureAlgorithm": "ES256",
        "registrationAllowed": False,
        "editUsernameAllowed": False,
        "bruteForceProtected": True,
    }


def _check(wish: Wish) -> None:
    if wish.demo is None:
        return
    if wrong := people.unknown(wish.region, list(wish.demo.values())):
        raise OperatorError(f"people.yaml doesn't fit the region file: {'; '.join(wrong)}.", "Correct one of the two.")
    if len(wish.password) < SHORTEST_PASSWORD:
        raise OperatorError(
            f"The demo's people need a password of {SHORTEST_PASSWORD} characters or more.",
            "Put a random one into a file, and name it in ECM_KEYCLOAK_PEOPLE_PASSWORD_FILE.",
        )
