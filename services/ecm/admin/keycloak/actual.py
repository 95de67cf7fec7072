"""What a realm holds now, as far as it is ours, in the form in which it is wanted."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from keycloak import KeycloakAdmin, KeycloakGetError

from ecm.admin.keycloak.clients import ADMIN_CLI, OF_KEYCLOAK
from ecm.admin.keycloak.configuration import (
    DEMO,
    GROUPS,
    MANAGED,
    PASSWORD_DIGEST,
    PROFILE,
    REGISTRATION,
    Configuration,
    Item,
    Kind,
    as_text,
    empty,
    mappers,
)
from ecm.admin.keycloak.scopes import OURS

EVERYTHING = {"briefRepresentation": False}


@dataclass(frozen=True, slots=True)
class Actual:
    """A realm's items, and Keycloak's ids of them."""

    items: Configuration = field(default_factory=empty)
    ids: dict[tuple[Kind, str], str] = field(default_factory=dict)

    def add(self, kind: Kind, name: str, item: Item, identifier: str = "") -> None:
        """One that was found."""
        self.items[kind][name] = item
        self.ids[kind, name] = identifier


def read(admin: KeycloakAdmin, realm: str, wanted: Configuration) -> Actual:
    """The realm of that name. Of clients, roles and people also those that are wanted but aren't marked as ours."""
    found = Actual()
    present = lookup(lambda: admin.get_realm(realm))
    if present is None:
        # What Keycloak gives every new realm.
        found.add(Kind.CLIENT, ADMIN_CLI, {"directAccessGrantsEnabled": True})
        return found
    found.add(Kind.REALM, realm, present)
    found.add(Kind.PROFILE, PROFILE, _profile(admin.get_realm_users_profile()))
    for role in admin.get_realm_roles():
        if role["name"] in wanted[Kind.ROLE]:
            found.add(Kind.ROLE, role["name"], role, role["id"])
    for scope in admin.get_client_scopes():
        if scope["name"].startswith(OURS):
            found.add(Kind.SCOPE, scope["name"], _scope(scope), scope["id"])
    for client in admin.get_clients():
        if client["clientId"] in wanted[Kind.CLIENT] or client.get("attributes", {}).get(MANAGED):
            found.add(Kind.CLIENT, client["clientId"], _client(client), client["id"])
    _read_groups(admin, found)
    organized = bool(present.get("organizationsEnabled"))
    if organized:
        _read_organizations(admin, found, wanted)
    _read_people(admin, found, wanted[Kind.PERSON], organized)
    return found


def lookup(ask: Callable[[], Any]) -> Any:
    """What is answered, None where it isn't there."""
    try:
        return ask()
    except KeycloakGetError as error:
        if error.response_code == HTTPStatus.NOT_FOUND:
            return None
        raise


def _profile(profile: Item) -> Item:
    ours = {one["name"]: one for one in profile["attributes"] if one["name"] in (REGISTRATION, PASSWORD_DIGEST)}
    named = {name: {key: one.get(key) for key in ("permissions", "multivalued")} for name, one in ours.items()}
    return {**named, "unmanagedAttributePolicy": profile.get("unmanagedAttributePolicy", "")}


def _scope(scope: Item) -> Item:
    return {
        "description": scope.get("description", ""),
        "attributes": scope.get("attributes", {}),
        "mappers": mappers(scope.get("protocolMappers", [])),
    }


def _client(client: Item) -> Item:
    attributes = {name: value for name, value in client.get("attributes", {}).items() if name not in OF_KEYCLOAK}
    if "jwks.string" in attributes:
        attributes["jwks.string"] = _in_one_form(attributes["jwks.string"])
    return {
        **client,
        "attributes": attributes,
        "mappers": mappers(client.get("protocolMappers", [])),
        "defaultClientScopes": sorted(client.get("defaultClientScopes", [])),
        "optionalClientScopes": sorted(client.get("optionalClientScopes", [])),
    }


def _in_one_form(text: str) -> str:
    try:
        return as_text(json.loads(text))
    except ValueError:
        return text


def _read_organizations(admin: KeycloakAdmin, found: Actual, wanted: Configuration) -> None:
    for brief in admin.get_organizations():
        one = admin.get_organization(brief["id"])
        attributes = one.get("attributes", {})
        if one["alias"] in wanted[Kind.ORGANIZATION] or MANAGED in attributes:
            item = {"name": one["name"], "enabled": one["enabled"], "attributes": attributes}
            found.add(Kind.ORGANIZATION, one["alias"], item, one["id"])


def _read_groups(admin: KeycloakAdmin, found: Actual) -> None:
    top = lookup(lambda: admin.get_group_by_path(GROUPS.removeprefix("/")))
    if top is not None:
        _read_group(admin, found, top)


def _read_group(admin: KeycloakAdmin, found: Actual, group: Item) -> None:
    item = {"attributes": group.get("attributes", {}), "realmRoles": sorted(group.get("realmRoles", []))}
    found.add(Kind.GROUP, group["path"], item, group["id"])
    if group.get("subGroupCount", 1):
        for child in admin.get_group_children(group["id"], dict(EVERYTHING)):
            _read_group(admin, found, child)


def _read_people(admin: KeycloakAdmin, found: Actual, wanted: Iterable[str], organized: bool) -> None:
    demo = found.ids.get((Kind.GROUP, DEMO))
    listed = {one["username"]: one["id"] for one in (admin.get_group_members(demo) if demo else [])}
    for username in set(wanted) - set(listed):
        if identifier := admin.get_user_id(username):
            listed[username] = identifier
    for username, identifier in listed.items():
        found.add(Kind.PERSON, username, _person(admin, identifier, organized), identifier)


def _person(admin: KeycloakAdmin, identifier: str, organized: bool) -> Item:
    person = admin.get_user(identifier)
    organizations = admin.get_user_organizations(identifier) if organized else []
    return {
        **person,
        "attributes": person.get("attributes", {}),
        "groups": sorted(group["path"] for group in admin.get_user_groups(identifier)),
        "organizations": sorted(one["alias"] for one in organizations),
    }
