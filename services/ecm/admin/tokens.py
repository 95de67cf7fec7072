"""Tokens from the issuer, for the command line and tests: signs the assertions that it asks for."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Protocol

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from ecm.admin.errors import OperatorError
from ecm.admin.names import JWT_BEARER, PERSON_CLIENT
from ecm.admin.paths import SecretPaths
from ecm.kit.auth.tokens import ASSERTION_TYPE
from ecm.kit.names import SERVICE_CLIENTS
from ecm.kit.region import Region


class Issued(Protocol):
    """A region's issuer, as a `Plan` or a `Deployment` names it. `keycloak`: empty where it is the local one."""

    @property
    def keycloak(self) -> str:
        """The issuer's name, where it is a realm of Keycloak."""

    @property
    def issuer(self) -> str:
        """The issuer's name, whatever it is."""

    @property
    def token_url(self) -> str:
        """Where it gives tokens."""

    def load_region(self) -> Region:
        """The region whose issuer it is."""


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """Gets tokens with the keys of a region: who can read those can be anybody there."""

    paths: SecretPaths
    plan: Issued

    def client(self, client: str, scope: str = "", audience: str = "") -> str:
        """A token of a partner (all scopes of its region file unless `scope`), or of a service for `audience`."""
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        if client in SERVICE_CLIENTS:
            form["scope"] = audience
        else:
            form["scope"] = scope or self._scopes(client)
        return self._ask({**form, "client_assertion": self.assertion(client, client)})

    def person(self, person: str) -> str:
        """A token of one of the people in people.yaml, for all five services."""
        if not self.plan.keycloak:
            return self._ask({"grant_type": JWT_BEARER, "assertion": self.assertion(PERSON_CLIENT, person)})
        form = {"grant_type": "password", "client_assertion_type": ASSERTION_TYPE, "username": person}
        password = self.paths.people_password.read_text(encoding="utf-8").strip()
        own = self.assertion(PERSON_CLIENT, PERSON_CLIENT)
        return self._ask({**form, "password": password, "client_assertion": own})

    def assertion(self, client: str, subject: str) -> str:
        """A fresh assertion, signed by the client's key, that lives a minute."""
        key = ECKey.import_key(json.loads(self.paths.client_key(client).read_text(encoding="utf-8")))
        now = int(time.time())
        claims = {"iss": client, "sub": subject, "aud": self.plan.issuer, "iat": now, "exp": now + 60}
        claims["jti"] = str(uuid.uuid4())
        header = {"alg": "ES384", "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, key, algorithms=["ES384"])

    def _scopes(self, client: str) -> str:
        region = self.plan.load_region()
        found = region.client(client)
        if found is None:
            known = ", ".join(entry.id for entry in region.clients)
            raise OperatorError(f"The region has no client {client!r}.", f"It has: {known}. Services need --audience.")
        return " ".join(found.scopes)

    def _ask(self, form: dict[str, str]) -> str:
        try:
            answer = httpx.post(self.plan.token_url, data=form, timeout=10, trust_env=False)
        except httpx.HTTPError as error:
            raise OperatorError(f"The issuer doesn't answer ({type(error).__name__}).", "Start it: ecm up.") from error
        try:
            body = answer.json()
            if not answer.is_success:
                raise OperatorError(f"The issuer refused: {body['error']}.", body.get("error_description", ""))
            return str(body["access_token"])
        except (ValueError, KeyError, TypeError):
            # A proxy's page, or an issuer that is about to end.
            message = f"{self.plan.token_url} answered HTTP {answer.status_code}, and neither a token nor why not."
            raise OperatorError(message, "Look at what answers there.") from None
