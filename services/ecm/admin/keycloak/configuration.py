"""The form in which a wanted and an actual realm are compared: by kind and name, only what is ours to say."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

Item = dict[str, Any]
"""One thing of a realm, with Keycloak's own field names; mappers by name, lists in order."""


class Kind(StrEnum):
    """What a realm consists of, in the order in which it is made."""

    REALM = "realm"
    PROFILE = "user profile"
    ROLE = "role"
    SCOPE = "client scope"
    CLIENT = "client"
    ORGANIZATION = "organization"
    GROUP = "group"
    PERSON = "person"


Configuration = dict[Kind, dict[str, Item]]
"""A realm: items by kind and name. Of a realm that isn't there: no items."""

PROFILE = "attributes"
"""The one name of its kind."""
MANAGED = "ecm.managed"
"""The attribute of clients and organizations that are ours: one that the region file has no more is removed."""
GROUPS = "/ecm"
"""The group above all groups that give roles; what stands under it is as the region file says."""
DEMO = f"{GROUPS}/demo"
"""The group of the demo's people: whoever is in it and isn't wanted is removed."""
ROLES, REGISTRATION, PASSWORD_DIGEST = "ecm_roles", "ecm_registration", "ecm_demo_password"

ACCESS_TOKENS = {
    "access.token.claim": "true",
    "id.token.claim": "false",
    "introspection.token.claim": "true",
    "userinfo.token.claim": "false",
}
"""Where a mapper's claim goes."""


def empty() -> Configuration:
    """A realm that isn't there."""
    return {kind: {} for kind in Kind}


def mapper(kind: str, **config: str) -> Item:
    """A protocol mapper that writes into access tokens alone; `__` in a name stands for a dot."""
    named = {name.replace("__", "."): value for name, value in config.items()}
    return {"protocolMapper": kind, "config": {**named, **ACCESS_TOKENS}}


def mappers(found: Iterable[Mapping[str, Any]]) -> dict[str, Item]:
    """Mappers as Keycloak lists them, by name."""
    return {one["name"]: {"protocolMapper": one["protocolMapper"], "config": one.get("config", {})} for one in found}


def listed(by_name: Mapping[str, Item]) -> list[Item]:
    """Mappers as Keycloak takes them."""
    return [{"name": name, "protocol": "openid-connect", **one} for name, one in by_name.items()]


def as_text(document: object) -> str:
    """JSON in one form, so that it can be compared."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
