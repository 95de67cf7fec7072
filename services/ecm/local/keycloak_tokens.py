"""Tokens from a region's Keycloak, for the command line and the journey: with the keys of `ecm secrets init`."""

import json
import time
import uuid
from dataclasses import dataclass

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from ecm.kit.region import Region
from ecm.local.errors import LocalError
from ecm.local.issuer.grants import JWT_ASSERTION
from ecm.local.names import PERSON_CLIENT, SERVICES, principal
from ecm.local.paths import StatePaths


@dataclass(frozen=True, slots=True)
class KeycloakDesk:
    """Gets tokens of partners and services by their keys, of the demo's people by their one password."""

    issuer: str
    token_url: str
    paths: StatePaths
    region: Region
    password: str

    def client(self, client: str, scope: str = "", audience: str = "") -> str:
        """A token of a partner (all scopes of its region file unless `scope`), or of a service for `audience`."""
        if client in map(principal, SERVICES):
            wanted = audience
        else:
            found = self.region.client(client)
            wanted = scope or " ".join(found.scopes if found else ())
        return self._ask(client, {"grant_type": "client_credentials", "scope": wanted})

    def person(self, person: str) -> str:
        """A token of one of the people in people.yaml, for all five services."""
        return self._ask(PERSON_CLIENT, {"grant_type": "password", "username": person, "password": self.password})

    def _assertion(self, client: str) -> str:
        path = self.paths.client_key(client)
        if not path.is_file():
            raise LocalError(f"There is no key of {client} at {path}.", "Make it: ecm secrets init.")
        key = ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))
        now = int(time.time())
        claims = {"iss": client, "sub": client, "aud": self.issuer, "iat": now, "exp": now + 60}
        header = {"alg": "ES384", "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, {**claims, "jti": str(uuid.uuid4())}, key, algorithms=["ES384"])

    def _ask(self, client: str, form: dict[str, str]) -> str:
        proof = {"client_assertion_type": JWT_ASSERTION, "client_assertion": self._assertion(client)}
        try:
            data = {**form, **proof, "client_id": client}
            answer = httpx.post(self.token_url, data=data, timeout=20, trust_env=False)
        except httpx.HTTPError as error:
            where = f"at {self.token_url} ({type(error).__name__})"
            raise LocalError(f"Keycloak doesn't answer {where}.", "Look at its log, and at ECM_TOKEN_URL.") from error
        body = answer.json()
        if not answer.is_success:
            raise LocalError(f"Keycloak refused {client}: {body.get('error')}.", str(body.get("error_description", "")))
        return str(body["access_token"])
