"""Roles, groups and organizations of a region, and the demo's people in them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import get_args

from ecm.admin.keycloak.configuration import DEMO, GROUPS, MANAGED, PASSWORD_DIGEST, REGISTRATION, ROLES, Item, as_text
from ecm.admin.people import Person
from ecm.kit.auth.claims import YotRole
from ecm.kit.region import Region
from ecm.kit.region_parts import Role

ADMINISTRATORS = {"view": ["admin"], "edit": ["admin"]}


def profile() -> Item:
    """Attributes of people that only administrators see and set; any other is refused."""
    return {name: {"permissions": ADMINISTRATORS, "multivalued": False} for name in (REGISTRATION, PASSWORD_DIGEST)} | {
        "unmanagedAttributePolicy": ""
    }


def roles() -> dict[str, Item]:
    """The closed list of roles."""
    return {role: {"description": "A role in a YOT; its groups say in which."} for role in get_args(Role)}


def organizations(region: Region) -> dict[str, Item]:
    """Every agency, by its id."""
    managed = {"attributes": {MANAGED: ["true"]}}
    return {agency.id: {"name": agency.name, "enabled": True, **managed} for agency in region.agencies}


def groups(region: Region, *, demo: bool) -> dict[str, Item]:
    """A group per YOT and role: who is in it has that role there."""
    pairs = [YotRole(yot=yot.id, role=role) for yot in region.yots for role in get_args(Role)]
    given = {group(pair): _group(pair) for pair in pairs}
    above = {GROUPS: _folder(), **{f"{GROUPS}/{yot.id}": _folder() for yot in region.yots}}
    return {**above, **given, **({DEMO: _folder()} if demo else {})}


def group(pair: YotRole) -> str:
    """The path of the group that gives a role in a YOT."""
    return f"{GROUPS}/{pair.yot}/{pair.role}"


def people(region: Region, listed: Mapping[str, Person], password: str) -> dict[str, Item]:
    """The demo's people by username."""
    return {person.id: _person(region, person, password) for person in listed.values()}


def _person(region: Region, person: Person, password: str) -> Item:
    attributes = {PASSWORD_DIGEST: [digest(password)]}
    if person.ecm_registration:
        attributes[REGISTRATION] = [person.ecm_registration]
    return {
        "enabled": True,
        "firstName": person.name,
        "lastName": "Demo",
        "email": f"{person.id}@{region.slug}.invalid",
        "emailVerified": True,
        "attributes": attributes,
        "groups": sorted([DEMO, *map(group, person.ecm_roles)]),
        "organizations": [person.agency],
    }


def digest(password: str) -> str:
    """Shows that a password was changed. It is long and random, so its digest helps nobody."""
    return hashlib.sha256(password.encode()).hexdigest()[:32]


def _group(pair: YotRole) -> Item:
    return {"attributes": {ROLES: [as_text(pair.model_dump())]}, "realmRoles": [pair.role]}


def _folder() -> Item:
    return {"attributes": {}, "realmRoles": []}


def unknown(region: Region, listed: Sequence[Person]) -> list[str]:
    """What people.yaml names and the region file lacks."""
    yots, agencies = {yot.id for yot in region.yots}, {agency.id for agency in region.agencies}
    wrong = [
        f"{person.id}: no YOT {pair.yot!r}" for person in listed for pair in person.ecm_roles if pair.yot not in yots
    ]
    return wrong + [f"{person.id}: no agency {person.agency!r}" for person in listed if person.agency not in agencies]
