"""What Keycloak's tokens say is what the local issuer's say, for every client, audience and person."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ecm.admin.people import people_beside
from ecm.admin.tokens import TokenDesk
from ecm.kit.auth.claims import claims_schema
from ecm.kit.names import SERVICES, service_client
from ecm.kit.region import load_region
from ecm.local.paths import default_region
from ecm.local.stack import Stack
from identity.server import Keycloak, wish_of

pytestmark = pytest.mark.keycloak
REALM = "claims"

DIFFER = {
    "iss": "each is its own issuer",
    "iat": "another moment",
    "exp": "another moment; how long it lives is compared",
    "jti": "random",
}
"""Claims whose values differ, and why."""
OF_KEYCLOAK = {
    "typ": "Keycloak's own mark of an access token: Bearer",
    "sid": "a person's session at Keycloak",
}
"""Claims that only Keycloak has, and why they do no harm: nothing reads them."""
OF_PEOPLE = {"sub": "a person is Keycloak's own id, which is never given again; the demo's is the name in people.yaml"}

REGION_FILE = default_region()
assert REGION_FILE is not None
REGION = load_region(REGION_FILE)
PARTNERS = [(client.id, scope) for client in REGION.clients for scope in ("", *client.scopes, "system/Patient.rs")]
CALLS = [(service_client(caller), service_client(callee)) for caller in SERVICES for callee in SERVICES]
PEOPLE = list(people_beside(REGION_FILE))


@dataclass(frozen=True)
class Both:
    """Two issuers that know the same clients and people, by the same keys."""

    local: TokenDesk
    keycloak: TokenDesk


@pytest.fixture(scope="module")
def both(infrastructure: Stack, keycloak: Keycloak) -> Both:
    keycloak.look(wish_of(infrastructure.paths, infrastructure.plan, slug=REALM)).carry_out()
    plan = infrastructure.plan.model_copy(update={"keycloak": keycloak.realm_url(REALM)})
    return Both(TokenDesk(infrastructure.paths, infrastructure.plan), TokenDesk(infrastructure.paths, plan))


def part(token: str, number: int) -> dict[str, Any]:
    """Header (0) or claims (1) of a token."""
    text = token.split(".")[number]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def comparable(token: str) -> dict[str, Any]:
    """Claims in a form that can be compared: what may differ left out, sets in order, how long it lives."""
    claims = part(token, 1)
    kept = {name: value for name, value in claims.items() if name not in {**DIFFER, **OF_KEYCLOAK}}
    # RFC 7519 §4.1.3: one audience may be a string. Neither audiences, scopes nor roles have an order.
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    Draft202012Validator(claims_schema()).validate({**claims, "aud": audience})
    return {
        **kept,
        "aud": sorted(audience),
        "scope": sorted(claims["scope"].split()),
        "ecm_roles": sorted((pair["yot"], pair["role"]) for pair in claims.get("ecm_roles", [])),
        "seconds": claims["exp"] - claims["iat"],
    }


@pytest.mark.parametrize(("client", "scope"), PARTNERS)
def test_partners(both: Both, client: str, scope: str) -> None:
    ours, theirs = both.local.client(client, scope), both.keycloak.client(client, scope)
    assert comparable(theirs) == comparable(ours)
    assert set(part(theirs, 1)) - set(part(ours, 1)) == {"typ"}


@pytest.mark.parametrize(("caller", "callee"), CALLS)
def test_services(both: Both, caller: str, callee: str) -> None:
    ours, theirs = both.local.client(caller, audience=callee), both.keycloak.client(caller, audience=callee)
    assert comparable(theirs) == comparable(ours)
    assert set(part(theirs, 1)) - set(part(ours, 1)) == {"typ"}


@pytest.mark.parametrize("person", PEOPLE)
def test_people(both: Both, person: str) -> None:
    ours, theirs = both.local.person(person), both.keycloak.person(person)
    said, expected = comparable(theirs), comparable(ours)
    assert {**said, **OF_PEOPLE} == {**expected, **OF_PEOPLE}
    assert set(part(theirs, 1)) - set(part(ours, 1)) == set(OF_KEYCLOAK)
    assert part(both.keycloak.person(person), 1)["sub"] == part(theirs, 1)["sub"]


def test_headers(both: Both) -> None:
    pairs = [(desk.client("nhs-psychology"), desk.person("analyst")) for desk in (both.local, both.keycloak)]
    said = [[{name: part(token, 0)[name] for name in ("alg", "typ")} for token in pair] for pair in pairs]
    assert said[0] == said[1]
    assert all("kid" in part(token, 0) for pair in pairs for token in pair)
