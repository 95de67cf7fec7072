"""What a hand might do to a realm, each in one way."""

from collections.abc import Callable

from keycloak import KeycloakAdmin

from ecm.admin.keycloak.configuration import GROUPS, MANAGED, REGISTRATION, Kind, mapper

CLIENT, ORGANIZATION, PERSON = "la-eastvale", "yot-westmoor", "analyst"
ANALYSTS = f"{GROUPS}/eastvale/analyst"
AN_ADMINISTRATOR = {"ecm_roles": ['{"role":"administrator","yot":"eastvale"}']}
Deed = Callable[[KeycloakAdmin], object]


def _realm(**changes: object) -> Deed:
    return lambda admin: admin.update_realm(admin.get_current_realm(), changes)


def _client(client: str = CLIENT, **changes: object) -> Deed:
    return lambda admin: admin.update_client(_client_id(admin, client), {"clientId": client, **changes})


def _client_id(admin: KeycloakAdmin, client: str = CLIENT) -> str:
    return str(admin.get_client_id(client))


def _scope(admin: KeycloakAdmin, name: str) -> str:
    return next(str(scope["id"]) for scope in admin.get_client_scopes() if scope["name"] == name)


def _group(admin: KeycloakAdmin, path: str) -> str:
    return str(admin.get_group_by_path(path.removeprefix("/"))["id"])


def _organization(admin: KeycloakAdmin, alias: str = ORGANIZATION) -> str:
    return next(str(one["id"]) for one in admin.get_organizations() if one["alias"] == alias)


def _person(admin: KeycloakAdmin) -> str:
    return str(admin.get_user_id(PERSON))


def _open_profile(admin: KeycloakAdmin) -> None:
    profile = admin.get_realm_users_profile()
    for attribute in profile["attributes"]:
        if attribute["name"] == REGISTRATION:
            attribute["permissions"]["edit"] = ["admin", "user"]
    admin.update_realm_users_profile({**profile, "unmanagedAttributePolicy": "ENABLED"})


def _audience_of_a_service(admin: KeycloakAdmin) -> None:
    other = mapper("oidc-audience-mapper", included__custom__audience="ecm-consent")
    admin.add_mapper_to_client_scope(_scope(admin, "ecm-fhir"), {"name": "x", "protocol": "openid-connect", **other})


def _agency(name: str) -> Deed:
    """A mapper of that name gives the client another agency: added, or in place of the right one."""

    def do(admin: KeycloakAdmin) -> None:
        client = _client_id(admin)
        for present in admin.get_mappers_from_client(client):
            if present["name"] == name:
                admin.remove_client_mapper(client, present["id"])
        fixed = mapper("oidc-hardcoded-claim-mapper", claim__name="ecm_agency", claim__value="nhs-psychology")
        admin.add_mapper_to_client(client, {"name": name, "protocol": "openid-connect", **fixed})

    return do


def _to_another_agency(admin: KeycloakAdmin) -> None:
    admin.organization_user_remove(_person(admin), _organization(admin, "yot-eastvale"))
    admin.organization_user_add(_person(admin), _organization(admin, CLIENT))


DRIFTS: dict[tuple[Kind, str], dict[str, Deed]] = {
    (Kind.REALM, ""): {
        "long tokens": _realm(accessTokenLifespan=36000),
        "organizations off": _realm(organizationsEnabled=False),
        "people register themselves": _realm(registrationAllowed=True),
    },
    (Kind.PROFILE, "attributes"): {"people set their own attributes": _open_profile},
    (Kind.ROLE, "analyst"): {"a role gone": lambda admin: admin.delete_realm_role("analyst")},
    (Kind.SCOPE, "ecm-fhir"): {"a scope opens a service too": _audience_of_a_service},
    (Kind.SCOPE, "system/Flag.rs"): {
        "a scope gone": lambda admin: admin.delete_client_scope(_scope(admin, "system/Flag.rs"))
    },
    (Kind.SCOPE, "system/Secret.rs"): {
        "a scope outside the catalogue": lambda admin: admin.create_client_scope(
            {"name": "system/Secret.rs", "protocol": "openid-connect"}
        )
    },
    (Kind.CLIENT, CLIENT): {
        "by secret and password": _client(clientAuthenticatorType="client-secret", directAccessGrantsEnabled=True),
        "by browser": _client(standardFlowEnabled=True, redirectUris=["https://evil.example.invalid/*"]),
        "with every role": _client(fullScopeAllowed=True),
        "another algorithm": _client(attributes={"token.endpoint.auth.signing.alg": "RS256"}),
        "tokens of its own length": _client(attributes={"access.token.lifespan": "36000"}),
        "other keys": _client(attributes={"jwks.string": '{"keys":[]}'}),
        "off": _client(enabled=False),
        "gone": lambda admin: admin.delete_client(_client_id(admin)),
        "another agency": _agency("agency"),
        "two agencies": _agency("x"),
        "a scope given": lambda admin: admin.add_client_optional_client_scope(
            _client_id(admin), _scope(admin, "system/CarePlan.cu"), {}
        ),
        "a person's claims given": lambda admin: admin.add_client_default_client_scope(
            _client_id(admin), _scope(admin, "ecm-person"), {}
        ),
        "a scope taken": lambda admin: admin.delete_client_optional_client_scope(
            _client_id(admin), _scope(admin, "system/Patient.rs")
        ),
    },
    (Kind.CLIENT, "another"): {
        "one more that looks like ours": lambda admin: admin.create_client(
            {"clientId": "another", "attributes": {MANAGED: "true"}}
        )
    },
    (Kind.CLIENT, "admin-cli"): {
        "passwords by a public client": _client("admin-cli", directAccessGrantsEnabled=True),
    },
    (Kind.ORGANIZATION, ORGANIZATION): {
        "an organization off": lambda admin: admin.update_organization(
            _organization(admin), {"alias": ORGANIZATION, "name": "Westmoor", "enabled": False}
        ),
        "an organization gone": lambda admin: admin.delete_organization(_organization(admin)),
    },
    (Kind.GROUP, ANALYSTS): {
        "a group gives another role": lambda admin: admin.update_group(
            _group(admin, ANALYSTS), {"name": "analyst", "attributes": AN_ADMINISTRATOR}
        ),
        "a group has its role taken": lambda admin: admin.delete_group_realm_roles(
            _group(admin, ANALYSTS), [admin.get_realm_role("analyst")]
        ),
        "a group gone": lambda admin: admin.delete_group(_group(admin, ANALYSTS)),
    },
    (Kind.GROUP, f"{GROUPS}/x"): {
        "one more group that gives a role": lambda admin: admin.create_group(
            {"name": "x", "attributes": AN_ADMINISTRATOR}, parent=_group(admin, GROUPS)
        )
    },
    (Kind.GROUP, GROUPS): {"all groups gone": lambda admin: admin.delete_group(_group(admin, GROUPS))},
    (Kind.PERSON, PERSON): {
        "somebody given a role": lambda admin: admin.group_user_add(
            _person(admin), _group(admin, f"{GROUPS}/eastvale/administrator")
        ),
        "somebody in another agency": _to_another_agency,
        "somebody off": lambda admin: admin.update_user(_person(admin), {"enabled": False}),
        "somebody gone": lambda admin: admin.delete_user(_person(admin)),
    },
}
"""What the plan must name (no name: the realm itself), and what was done to it."""
