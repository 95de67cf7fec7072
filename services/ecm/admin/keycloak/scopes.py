"""Client scopes: the catalogue's, and those that put audiences and a person's claims into tokens."""

from ecm.admin.keycloak.configuration import REGISTRATION, ROLES, Item, mapper
from ecm.kit.names import SERVICE_CLIENTS
from ecm.kit.scopes import SCOPES

FHIR = "ecm-fhir"
PERSON = "ecm-person"
OURS = ("system/", "ecm-")
"""How names of scopes begin that are ours: any other is left alone."""


def wanted(fhir_base: str) -> dict[str, Item]:
    """Every client scope. A service asks for one audience by the scope of that name, which stands in no token."""
    audiences = {name: _hidden(f"Opens {name}.", _audience(name)) for name in SERVICE_CLIENTS}
    return {
        **{name: _scope("", in_token=True) for name in SCOPES},
        **audiences,
        FHIR: _hidden("The FHIR API as the only audience of partners.", _audience(fhir_base)),
        PERSON: _hidden("A person's roles and agency, for the five services.", _person()),
    }


def _person() -> dict[str, Item]:
    audiences: dict[str, Item] = {}
    for name in SERVICE_CLIENTS:
        audiences |= _audience(name)
    return {
        **audiences,
        "subject": mapper("oidc-sub-mapper"),
        # An organization's alias is its agency's id; a person belongs to one.
        "agency": mapper(
            "oidc-organization-membership-mapper",
            claim__name="ecm_agency",
            jsonType__label="String",
            multivalued="false",
        ),
        # Groups give roles, each one as JSON. Of a person itself the attribute isn't declared, so nobody has it.
        "roles": _attribute(ROLES, "JSON", multivalued="true", aggregate__attrs="true"),
        "registration": _attribute(REGISTRATION, "String"),
    }


def _audience(name: str) -> dict[str, Item]:
    return {f"audience {name}": mapper("oidc-audience-mapper", included__custom__audience=name)}


def _attribute(name: str, form: str, **more: str) -> Item:
    named = {"user__attribute": name, "claim__name": name, "jsonType__label": form}
    return mapper("oidc-usermodel-attribute-mapper", **named, **more)


def _hidden(description: str, mappers: dict[str, Item]) -> Item:
    return _scope(description, in_token=False, mappers=mappers)


def _scope(description: str, *, in_token: bool, mappers: dict[str, Item] | None = None) -> Item:
    attributes = {"include.in.token.scope": str(in_token).lower(), "display.on.consent.screen": "false"}
    return {"description": description, "attributes": attributes, "mappers": mappers or {}}
