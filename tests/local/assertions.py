"""Assertions of every kind of badness, for whichever issuer."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from ecm.local.paths import StatePaths

CLIENT = "nhs-psychology"


@dataclass(frozen=True)
class Signer:
    """Signs as any client of a state, for one issuer."""

    paths: StatePaths
    issuer: str
    token_url: str

    def key(self, client: str) -> ECKey:
        """A client's private key."""
        return ECKey.import_key(json.loads(self.paths.client_key(client).read_text()))

    def assertion(self, client: str = CLIENT, **changes: Any) -> str:
        """A right assertion of a client, with some claims (or `key`, `alg`) changed; None leaves a claim out."""
        key, alg = changes.pop("key", None) or self.key(client), changes.pop("alg", "ES384")
        now = int(time.time())
        claims = {"iss": client, "sub": client, "aud": self.token_url, "exp": now + 60, "jti": str(uuid.uuid4())}
        claims |= changes
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": alg, **({"kid": key.kid} if key.kid else {})}
        return jwt.encode(header, claims, key, algorithms=[alg])


FAULTS: dict[str, Callable[[Signer], str]] = {
    "expired": lambda signer: signer.assertion(exp=int(time.time()) - 60),
    "an hour long": lambda signer: signer.assertion(exp=int(time.time()) + 3600),
    "signed six minutes ago": lambda signer: signer.assertion(iat=int(time.time()) - 360, exp=int(time.time()) + 3600),
    "no exp": lambda signer: signer.assertion(exp=None),
    "exp as text": lambda signer: signer.assertion(exp="tomorrow"),
    "no jti": lambda signer: signer.assertion(jti=None),
    "of the future": lambda signer: signer.assertion(iat=int(time.time()) + 90),
    "another audience": lambda signer: signer.assertion(aud="http://elsewhere/token"),
    "two audiences": lambda signer: signer.assertion(aud=[signer.issuer, signer.token_url]),
    "another subject": lambda signer: signer.assertion(sub="la-eastvale"),
    "another's key": lambda signer: signer.assertion(key=signer.key("la-eastvale")),
    "an unknown client": lambda signer: signer.assertion(iss="nobody"),
    "a weaker algorithm": lambda signer: signer.assertion(key=ECKey.generate_key("P-256"), alg="ES256"),
    "a shared secret": lambda signer: signer.assertion(key=OctKey.generate_key(256), alg="HS256"),
    "none": lambda _: "eyJhbGciOiJub25lIn0.eyJpc3MiOiJuaHMtcHN5Y2hvbG9neSJ9.",
    "no JWT": lambda _: "hello",
    "not ASCII": lambda _: "h€llo",
}
