"""Carries out a plan, step by step, through python-keycloak."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keycloak import KeycloakAdmin

from ecm.admin.keycloak.actual import Actual
from ecm.admin.keycloak.configuration import PASSWORD_DIGEST, Item, Kind, listed
from ecm.admin.keycloak.difference import Change


@dataclass(frozen=True, slots=True)
class Hand:
    """What applies a plan: the connection, Keycloak's ids as they become known, the demo's password."""

    admin: KeycloakAdmin
    actual: Actual
    password: str = field(default="", repr=False)

    def id_of(self, kind: Kind, name: str) -> str:
        """Keycloak's id of what is there."""
        known = self.actual.ids.get((kind, name))
        return known or str(self.admin.get_client_id(name))

    def made(self, change: Change, identifier: str) -> None:
        """Remember the id of what was made."""
        self.actual.ids[change.kind, change.name] = identifier


Write = Callable[[Hand, Change], None]


def apply(hand: Hand, change: Change) -> None:
    """Carry out one step. Raises `KeycloakError` where Keycloak refuses."""
    WRITES[change.kind][change.action](hand, change)


def _create_realm(hand: Hand, change: Change) -> None:
    hand.admin.create_realm({"realm": change.name, **change.wanted})
    # An administrator's token holds the realms that were there when it was given.
    hand.admin.connection.get_token()


def _update_realm(hand: Hand, change: Change) -> None:
    hand.admin.update_realm(change.name, {name: change.wanted[name] for name in change.fields})


def _update_profile(hand: Hand, change: Change) -> None:
    profile = hand.admin.get_realm_users_profile()
    ours = {name: item for name, item in change.wanted.items() if isinstance(item, dict)}
    others = [one for one in profile["attributes"] if one["name"] not in ours]
    profile["attributes"] = [*others, *({"name": name, **item} for name, item in ours.items())]
    profile.pop("unmanagedAttributePolicy", None)
    hand.admin.update_realm_users_profile(profile)


def _create_role(hand: Hand, change: Change) -> None:
    hand.admin.create_realm_role({"name": change.name, **change.wanted})


def _update_role(hand: Hand, change: Change) -> None:
    hand.admin.update_realm_role(change.name, {"name": change.name, **change.wanted})


def _create_scope(hand: Hand, change: Change) -> None:
    payload = {"name": change.name, "protocol": "openid-connect", **_with_mappers(change.wanted)}
    hand.made(change, hand.admin.create_client_scope(payload))


def _update_scope(hand: Hand, change: Change) -> None:
    scope = hand.id_of(Kind.SCOPE, change.name)
    bare = {name: value for name, value in change.wanted.items() if name != "mappers"}
    bare["attributes"] = _overlaid(change)
    hand.admin.update_client_scope(scope, {"name": change.name, "protocol": "openid-connect", **bare})
    if _touches(change, "mappers"):
        for present in hand.admin.get_mappers_from_client_scope(scope):
            hand.admin.delete_mapper_from_client_scope(scope, present["id"])
        for one in listed(change.wanted["mappers"]):
            hand.admin.add_mapper_to_client_scope(scope, one)


def _remove_scope(hand: Hand, change: Change) -> None:
    hand.admin.delete_client_scope(hand.id_of(Kind.SCOPE, change.name))


def _create_client(hand: Hand, change: Change) -> None:
    client = hand.admin.create_client({"clientId": change.name, **_with_mappers(change.wanted)})
    hand.made(change, client)
    # A client with a service account is given scopes that nobody wants here.
    _assign(hand, client, change.wanted)


def _update_client(hand: Hand, change: Change) -> None:
    client = hand.id_of(Kind.CLIENT, change.name)
    apart = ("mappers", "defaultClientScopes", "optionalClientScopes")
    bare = {name: value for name, value in change.wanted.items() if name not in apart}
    if "attributes" in bare:
        bare["attributes"] = _overlaid(change)
    hand.admin.update_client(client, {"clientId": change.name, **bare})
    if _touches(change, "mappers"):
        for present in hand.admin.get_mappers_from_client(client):
            hand.admin.remove_client_mapper(client, present["id"])
        for one in listed(change.wanted["mappers"]):
            hand.admin.add_mapper_to_client(client, one)
    if "defaultClientScopes" in change.wanted:
        _assign(hand, client, change.wanted)


def _assign(hand: Hand, client: str, wanted: Item) -> None:
    """Default and optional scopes: first take, since a scope is one or the other, then give."""
    admin = hand.admin
    default = {one["name"]: one["id"] for one in admin.get_client_default_client_scopes(client)}
    optional = {one["name"]: one["id"] for one in admin.get_client_optional_client_scopes(client)}
    for name in set(default) - set(wanted["defaultClientScopes"]):
        admin.delete_client_default_client_scope(client, default[name])
    for name in set(optional) - set(wanted["optionalClientScopes"]):
        admin.delete_client_optional_client_scope(client, optional[name])
    for name in set(wanted["defaultClientScopes"]) - set(default):
        admin.add_client_default_client_scope(client, hand.id_of(Kind.SCOPE, name), {})
    for name in set(wanted["optionalClientScopes"]) - set(optional):
        admin.add_client_optional_client_scope(client, hand.id_of(Kind.SCOPE, name), {})


def _remove_client(hand: Hand, change: Change) -> None:
    hand.admin.delete_client(hand.id_of(Kind.CLIENT, change.name))


def _create_organization(hand: Hand, change: Change) -> None:
    # In a realm where organizations had been switched off they were there, unseen.
    unseen = {one["alias"]: one["id"] for one in hand.admin.get_organizations()}
    if change.name in unseen:
        hand.made(change, unseen[change.name])
        _update_organization(hand, change)
    else:
        hand.made(change, str(hand.admin.create_organization({"alias": change.name, **change.wanted})))


def _update_organization(hand: Hand, change: Change) -> None:
    organization = hand.id_of(Kind.ORGANIZATION, change.name)
    hand.admin.update_organization(organization, {"alias": change.name, **change.wanted})


def _remove_organization(hand: Hand, change: Change) -> None:
    hand.admin.delete_organization(hand.id_of(Kind.ORGANIZATION, change.name))


def _create_group(hand: Hand, change: Change) -> None:
    above, _, name = change.name.rpartition("/")
    parent = hand.id_of(Kind.GROUP, above) if above else None
    payload = {"name": name, "attributes": change.wanted["attributes"]}
    hand.made(change, str(hand.admin.create_group(payload, parent=parent)))
    _give_roles(hand, change, change.wanted["realmRoles"])


def _update_group(hand: Hand, change: Change) -> None:
    group = hand.id_of(Kind.GROUP, change.name)
    name = change.name.rpartition("/")[2]
    hand.admin.update_group(group, {"name": name, "attributes": change.wanted["attributes"]})
    was, becomes = change.fields.get("realmRoles", ([], []))
    if extra := set(was) - set(becomes):
        hand.admin.delete_group_realm_roles(group, [hand.admin.get_realm_role(role) for role in extra])
    _give_roles(hand, change, set(becomes) - set(was))


def _give_roles(hand: Hand, change: Change, roles: Any) -> None:
    if roles:
        group = hand.id_of(Kind.GROUP, change.name)
        hand.admin.assign_group_realm_roles(group, [hand.admin.get_realm_role(role) for role in sorted(roles)])


def _remove_group(hand: Hand, change: Change) -> None:
    hand.admin.delete_group(hand.id_of(Kind.GROUP, change.name))


def _create_person(hand: Hand, change: Change) -> None:
    hand.made(change, hand.admin.create_user({"username": change.name, **_bare_person(change.wanted)}))
    hand.admin.set_user_password(hand.id_of(Kind.PERSON, change.name), hand.password, temporary=False)
    _place(hand, change)


def _update_person(hand: Hand, change: Change) -> None:
    person = hand.id_of(Kind.PERSON, change.name)
    hand.admin.update_user(person, {"username": change.name, **_bare_person(change.wanted)})
    if f"attributes.{PASSWORD_DIGEST}" in change.fields:
        hand.admin.set_user_password(person, hand.password, temporary=False)
    _place(hand, change)


def _bare_person(wanted: Item) -> Item:
    return {name: value for name, value in wanted.items() if name not in ("groups", "organizations")}


def _place(hand: Hand, change: Change) -> None:
    """Into the wanted groups and organizations, and out of all others."""
    person, admin, wanted = hand.id_of(Kind.PERSON, change.name), hand.admin, change.wanted
    groups = {one["path"]: one["id"] for one in admin.get_user_groups(person)}
    organizations = {one["alias"]: one["id"] for one in admin.get_user_organizations(person)}
    for path in set(groups) - set(wanted["groups"]):
        admin.group_user_remove(person, groups[path])
    for path in set(wanted["groups"]) - set(groups):
        admin.group_user_add(person, hand.id_of(Kind.GROUP, path))
    for alias in set(organizations) - set(wanted["organizations"]):
        admin.organization_user_remove(person, organizations[alias])
    for alias in set(wanted["organizations"]) - set(organizations):
        admin.organization_user_add(person, hand.id_of(Kind.ORGANIZATION, alias))


def _remove_person(hand: Hand, change: Change) -> None:
    hand.admin.delete_user(hand.id_of(Kind.PERSON, change.name))


def _with_mappers(wanted: Item) -> Item:
    bare = {name: value for name, value in wanted.items() if name != "mappers"}
    return {**bare, "protocolMappers": listed(wanted["mappers"])}


def _touches(change: Change, field_name: str) -> bool:
    return any(name == field_name or name.startswith(f"{field_name}.") for name in change.fields)


def _overlaid(change: Change) -> dict[str, str]:
    """The wanted attributes, and an empty value for each that is to go: Keycloak keeps those that aren't named."""
    gone = [name for name, (_, becomes) in change.fields.items() if name.startswith("attributes.") and becomes is None]
    return {**change.wanted["attributes"], **{name.removeprefix("attributes."): "" for name in gone}}


WRITES: Mapping[Kind, Mapping[str, Write]] = {
    Kind.REALM: {"create": _create_realm, "update": _update_realm},
    Kind.PROFILE: {"create": _update_profile, "update": _update_profile},
    Kind.ROLE: {"create": _create_role, "update": _update_role},
    Kind.SCOPE: {"create": _create_scope, "update": _update_scope, "remove": _remove_scope},
    Kind.CLIENT: {"create": _create_client, "update": _update_client, "remove": _remove_client},
    Kind.ORGANIZATION: {
        "create": _create_organization,
        "update": _update_organization,
        "remove": _remove_organization,
    },
    Kind.GROUP: {"create": _create_group, "update": _update_group, "remove": _remove_group},
    Kind.PERSON: {"create": _create_person, "update": _update_person, "remove": _remove_person},
}
"""How each kind of step is done. A realm, its user profile and the closed list of roles are never removed."""
