"""Who may get a token: the region's clients and the services, each with a public key."""

import json
from dataclasses import dataclass
from typing import Literal

from joserfc.jwk import ECKey, JWKRegistry, Key

from ecm.admin.names import PERSON_CLIENT
from ecm.kit.names import SERVICE_CLIENTS
from ecm.kit.region import Region
from ecm.local.paths import StatePaths

# SMART Backend Services §"Registering": these two, and no other, for partners.
PARTNER_ALGORITHMS = ("RS384", "ES384")
SERVICE_ALGORITHMS = ("ES256", "ES384", "RS256", "RS384")


@dataclass(frozen=True, slots=True)
class Registered:
    """One client: how it proves itself, and what it may be given."""

    id: str
    kind: Literal["partner", "service", "people"]
    key: Key
    agency: str = ""
    scopes: tuple[str, ...] = ()

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What it may sign its assertion with."""
        return PARTNER_ALGORITHMS if self.kind == "partner" else SERVICE_ALGORITHMS


def registered(region: Region, paths: StatePaths) -> dict[str, Registered]:
    """Every client by its id."""
    partners = [
        Registered(client.id, "partner", _public(paths, client.id), client.agency, tuple(client.scopes))
        for client in region.clients
    ]
    services = [Registered(name, "service", _public(paths, name)) for name in SERVICE_CLIENTS]
    people = Registered(PERSON_CLIENT, "people", _public(paths, PERSON_CLIENT))
    return {client.id: client for client in (*partners, *services, people)}


def _public(paths: StatePaths, client: str) -> Key:
    """The public half of a client's key: the issuer keeps no private key but its own."""
    private = ECKey.import_key(json.loads(paths.client_key(client).read_text(encoding="utf-8")))
    return JWKRegistry.import_key(private.as_dict(private=False))
