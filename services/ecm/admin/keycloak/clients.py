"""Clients: partners and services by `private_key_jwt`, and the demo's command line."""

from ecm.admin.keycloak import scopes
from ecm.admin.keycloak.configuration import MANAGED, Item, mapper
from ecm.admin.keycloak.keys import PARTNER, SERVICE, Keys, Registration
from ecm.admin.names import PERSON_CLIENT
from ecm.kit.names import SERVICE_CLIENTS
from ecm.kit.region import Client, Region
from ecm.kit.scopes import SCOPES, allows, parse

# SMART Backend Services: an assertion lives five minutes at most. Keycloak counts from its iat.
LONGEST_ASSERTION = "300"
ADMIN_CLI = "admin-cli"
"""Keycloak gives every realm this public client, by which anybody could try passwords."""
OF_KEYCLOAK = frozenset(
    {
        "realm_client",
        "client.secret.creation.time",
        "backchannel.logout.session.required",
        "backchannel.logout.revoke.offline.tokens",
    }
)
"""Attributes that Keycloak itself adds to every client."""


def wanted(region: Region, keys: Keys, *, demo: bool) -> dict[str, Item]:
    """Every client by its id; the command line's only where the demo's people are."""
    partners = {client.id: _partner(region, client, keys) for client in region.clients}
    services = {name: _service(name, keys) for name in SERVICE_CLIENTS}
    people = {PERSON_CLIENT: _command_line(keys)} if demo else {}
    return {**partners, **services, **people, ADMIN_CLI: {"directAccessGrantsEnabled": False}}


def assigned(client: Client) -> list[str]:
    """The scopes that a client may ask for: all that its region file's scopes cover."""
    parsed = {text: scope for text in SCOPES if (scope := parse(text))}
    return [
        text
        for text, scope in parsed.items()
        if all(allows(client.scopes, scope.resource, letter) for letter in scope.permissions)
    ]


def _partner(region: Region, client: Client, keys: Keys) -> Item:
    agency = region.agency(client.agency)
    registration = (
        Registration(client.signing_algorithm, jwks_url=client.jwks_url)
        if client.jwks_url
        else keys.of(client.id, PARTNER)
    )
    return {
        **_system(registration),
        "name": f"{agency.name if agency else client.agency}: {client.purpose}",
        "mappers": {**_subject(client.id), "agency": _fixed("ecm_agency", client.agency)},
        "defaultClientScopes": [scopes.FHIR],
        "optionalClientScopes": assigned(client),
    }


def _service(name: str, keys: Keys) -> Item:
    return {
        **_system(keys.of(name, SERVICE)),
        "name": name,
        "mappers": _subject(name),
        "defaultClientScopes": [],
        "optionalClientScopes": sorted(SERVICE_CLIENTS),
    }


def _command_line(keys: Keys) -> Item:
    """By password, and by its own key too."""
    made = {
        **_system(keys.of(PERSON_CLIENT, SERVICE)),
        "name": "ecm, for the demo's people",
        "mappers": {},
        "defaultClientScopes": [scopes.PERSON],
        "optionalClientScopes": [],
        "serviceAccountsEnabled": False,
        "directAccessGrantsEnabled": True,
    }
    made["attributes"] |= {"use.refresh.tokens": "false"}
    return made


def _system(registration: Registration) -> Item:
    """A client that gets tokens by its signed assertion and in no other way."""
    return {
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "bearerOnly": False,
        "consentRequired": False,
        "clientAuthenticatorType": "client-jwt",
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "fullScopeAllowed": False,
        "redirectUris": [],
        "webOrigins": [],
        "authenticationFlowBindingOverrides": {},
        "attributes": {
            MANAGED: "true",
            "token.endpoint.auth.signing.alg": registration.algorithm,
            "token.endpoint.auth.signing.max.exp": LONGEST_ASSERTION,
            "access.token.header.type.rfc9068": "true",
            **_keys(registration),
        },
    }


def _keys(registration: Registration) -> dict[str, str]:
    if registration.jwks_url:
        return {"use.jwks.url": "true", "jwks.url": registration.jwks_url}
    return {"use.jwks.string": "true", "jwks.string": registration.jwks}


def _subject(client: str) -> dict[str, Item]:
    # RFC 9068 §2.2: without a resource owner `sub` is the client.
    return {"subject": _fixed("sub", client)}


def _fixed(claim: str, value: str) -> Item:
    named = {"claim__name": claim, "claim__value": value, "jsonType__label": "String"}
    return mapper("oidc-hardcoded-claim-mapper", **named)
