"""The two grants of the token endpoint, each from its form to a token's subject."""

from collections.abc import Mapping
from dataclasses import dataclass

from ecm.admin.names import JWT_BEARER, PERSON_CLIENT
from ecm.admin.people import Person
from ecm.kit.names import SERVICE_CLIENTS
from ecm.kit.scopes import allows, is_scope, parse
from ecm.local.issuer.assertions import AssertionCheck, claimed_issuer
from ecm.local.issuer.clients import Registered
from ecm.local.issuer.minting import Subject
from ecm.local.issuer.refusals import Refused, invalid_client, invalid_grant, invalid_scope

JWT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grants:
    """Decides who gets which token. `fhir_base` is the only audience of partners."""

    clients: Mapping[str, Registered]
    people: Mapping[str, Person]
    check: AssertionCheck
    fhir_base: str

    def decide(self, form: Form, now: int) -> Subject:
        """The subject of the token that this request gets; raises `Refused`."""
        match form.get("grant_type"):
            case "client_credentials":
                return self._client(form, now)
            case grant if grant == JWT_BEARER:
                return self._person(form, now)
        raise Refused("unsupported_grant_type", "grant_type must be client_credentials.")

    def _client(self, form: Form, now: int) -> Subject:
        client = self._authenticated(form, now)
        if client.kind == "partner":
            return self._partner(client, form)
        if client.kind == "service":
            return _service(client, form)
        raise Refused("unauthorized_client", "This client has no token of its own.")

    def _authenticated(self, form: Form, now: int) -> Registered:
        if form.get("client_assertion_type") != JWT_ASSERTION:
            raise invalid_client(f"client_assertion_type must be {JWT_ASSERTION} (private_key_jwt).")
        assertion = form.get("client_assertion", "")
        named = claimed_issuer(assertion)
        client = self.clients.get(named)
        if client is None or form.get("client_id", named) != named:
            raise invalid_client("The assertion's iss is no client of this region, or isn't the client_id given.")
        claims = self.check.verify(assertion, client, now, invalid_client)
        if claims.get("sub") != client.id:
            raise invalid_client("The assertion's sub must be the client's id, like its iss.")
        return client

    def _partner(self, client: Registered, form: Form) -> Subject:
        scopes = form.get("scope", "").split()
        if not scopes:
            raise invalid_scope("Ask for at least one scope, e.g. system/Patient.rs.")
        for scope in scopes:
            _require_assigned(scope, client)
        extra = {"ecm_agency": client.agency}
        return Subject(client.id, client.id, [self.fhir_base], " ".join(dict.fromkeys(scopes)), extra)

    def _person(self, form: Form, now: int) -> Subject:
        """RFC 7523 §2.1; the assertion is signed by the command line's key, which the state directory holds."""
        assertion = form.get("assertion", "")
        if claimed_issuer(assertion) != PERSON_CLIENT:
            raise invalid_grant(f"The assertion's iss must be {PERSON_CLIENT}.")
        claims = self.check.verify(assertion, self.clients[PERSON_CLIENT], now, invalid_grant)
        person = self.people.get(str(claims.get("sub")))
        if person is None:
            raise invalid_grant(f"people.yaml has no such person; it has: {', '.join(sorted(self.people))}.")
        return _person_subject(person)


def _require_assigned(scope: str, client: Registered) -> None:
    parsed = parse(scope)
    if parsed is None or not is_scope(scope):
        raise invalid_scope(f"{scope!r} isn't a scope of this system; see scopes_supported.")
    if not all(allows(client.scopes, parsed.resource, letter) for letter in parsed.permissions):
        raise invalid_scope(f"{scope!r} isn't assigned to this client; it has: {' '.join(client.scopes)}.")


def _service(client: Registered, form: Form) -> Subject:
    audience = form.get("scope", "")
    if audience not in SERVICE_CLIENTS:
        raise invalid_scope(f"A service's scope is the audience it asks for, one of: {', '.join(SERVICE_CLIENTS)}.")
    return Subject(client.id, client.id, [audience])


def _person_subject(person: Person) -> Subject:
    extra = {
        "ecm_agency": person.agency,
        "ecm_roles": [role.model_dump() for role in person.ecm_roles],
    }
    if person.ecm_registration:
        extra["ecm_registration"] = person.ecm_registration
    return Subject(person.id, PERSON_CLIENT, SERVICE_CLIENTS, extra=extra)
