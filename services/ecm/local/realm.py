"""A realm of Keycloak in place of the local issuer: `ecm up --keycloak URL`. Keycloak itself runs already."""

from collections.abc import Callable

import httpx

from ecm.admin import credentials
from ecm.admin.errors import OperatorError
from ecm.admin.keycloak.configuration import Item, Kind
from ecm.admin.keycloak.difference import Change
from ecm.admin.keycloak.keys import Keys
from ecm.admin.keycloak.settings import KeycloakSettings
from ecm.admin.keycloak.sync import Sync, look
from ecm.admin.keycloak.wanted import Wish, wanted
from ecm.admin.people import people_beside
from ecm.kit.names import SERVICE_CLIENTS
from ecm.kit.region import Region
from ecm.local.paths import StatePaths
from ecm.local.plan import Plan
from ecm.local.stack import prepare

ASK_SECONDS = 10.0


def join(paths: StatePaths, plan: Plan, server: str, settings: KeycloakSettings, shown: Callable[[Sync], None]) -> Plan:
    """The plan with the region's realm of `server` as its issuer; the realm is brought to what the region says.

    `shown` is given the changes before they are made. Raises `OperatorError` where Keycloak doesn't answer or has
    another name, or where the realm is another state's.
    """
    server = server.rstrip("/")
    region = plan.load_region()
    realm = f"{server}/realms/{region.slug}"
    found = look(server, settings, wish(paths, plan, region))
    if not _is_made(found.changes) and not _is_ours(found, plan.keycloak == realm):
        raise OperatorError(
            f"{server} has a realm {region.slug} already, and it isn't this state's.",
            "Its services have other keys. Use another Keycloak, or delete that realm if nobody needs it.",
        )
    _is_called(server, settings.admin_realm)
    plan = prepare(paths, keycloak=realm)
    shown(found)
    found.carry_out()
    return plan


def wish(paths: StatePaths, plan: Plan, region: Region) -> Wish:
    """What a state's realm must hold: its keys, and the demo's people beside its region file."""
    credentials.ensure(paths, [client.id for client in region.clients])
    password = paths.people_password.read_text(encoding="utf-8").strip()
    return Wish(region, plan.fhir_base, Keys(paths.keys / "clients"), people_beside(plan.region), password)


def _is_made(changes: list[Change]) -> bool:
    return any(change.kind is Kind.REALM and change.action == "create" for change in changes)


def _is_ours(found: Sync, remembered: bool) -> bool:
    """Whether a service there has this state's key. A realm that was only begun has none: then what is remembered."""
    goal, there = wanted(found.wish)[Kind.CLIENT], found.actual.items[Kind.CLIENT]
    same = [_key(there[name]) == _key(goal[name]) for name in SERVICE_CLIENTS if name in there]
    return any(same) if same else remembered


def _key(client: Item) -> object:
    return client["attributes"].get("jwks.string")


def _is_called(server: str, realm: str) -> None:
    """Tokens name their issuer as Keycloak calls itself, whatever URL it was asked by."""
    try:
        answer = httpx.get(f"{server}/realms/{realm}/.well-known/openid-configuration", timeout=ASK_SECONDS)
        called = str(answer.raise_for_status().json()["issuer"]).removesuffix(f"/realms/{realm}")
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise OperatorError(
            f"Keycloak doesn't say what it is called: {type(error).__name__}.", "Look at its log."
        ) from None
    if called != server:
        raise OperatorError(f"Keycloak at {server} calls itself {called}.", f"Say it so: ecm up --keycloak {called}.")
