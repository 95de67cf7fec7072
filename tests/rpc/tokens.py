"""Tokens of every kind of badness, signed with a key of the issuer's own where only the content is bad."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from ecm.local.stack import Stack

SERVICE_AUDIENCES = [f"ecm-{name}" for name in ("referrals", "consent", "formulation", "monitoring", "exchange")]
Claims = dict[str, Any]


@dataclass(frozen=True)
class Forge:
    """Makes tokens for one region. `person` and `partner` are good ones; every other is bad in one way.

    `key` is one that the region's issuer publishes, `algorithm` what it signs with.
    """

    stack: Stack
    key: ECKey | RSAKey
    algorithm: str

    @classmethod
    def local(cls, stack: Stack) -> "Forge":
        """With the local issuer's key."""
        path = stack.paths.keys / "issuer.jwk.json"
        return cls(stack, ECKey.import_key(json.loads(path.read_text())), "ES256")

    def person(self, yot: str = "eastvale", role: str = "case-manager", agency: str = "yot-eastvale") -> Claims:
        """The claims of somebody with one role."""
        return self._claims(
            SERVICE_AUDIENCES,
            sub=f"{role}-{yot}",
            azp="ecm-cli",
            ecm_agency=agency,
            ecm_roles=[{"yot": yot, "role": role}],
            scope="",
        )

    def partner(self, client: str = "nhs-psychology") -> Claims:
        """The claims of a partner's client."""
        agency = client
        return self._claims(
            [self.stack.addresses["fhir"]], sub=client, azp=client, ecm_agency=agency, ecm_roles=[], scope="system/*.rs"
        )

    def sign(self, claims: Claims, *, key: Any = None, alg: str = "", kid: str | None = None) -> str:
        """A token with these claims."""
        algorithm = alg or self.algorithm
        header = {"alg": algorithm, "typ": "at+jwt", "kid": kid or self.key.kid}
        return jwt.encode(header, claims, key or self.key, algorithms=[algorithm])

    def _claims(self, audience: list[str], **more: Any) -> Claims:
        now = int(time.time())
        issuer = self.stack.plan.issuer
        return {"iss": issuer, "aud": audience, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **more}


def _without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


def _unsigned(claims: Claims) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(claims)}."


def _tampered(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["ecm_roles"] = [{"yot": "eastvale", "role": "administrator"}]
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"


BAD: dict[str, tuple[str, Callable[[Forge, Claims], str]]] = {
    "expired": (
        "TOKEN_EXPIRED",
        lambda forge, good: forge.sign({**good, "iat": good["iat"] - 900, "exp": good["exp"] - 900}),
    ),
    "another audience": ("TOKEN_AUDIENCE", lambda forge, good: forge.sign({**good, "aud": ["somebody-else"]})),
    "another issuer": (
        "TOKEN_ISSUER",
        lambda forge, good: forge.sign({**good, "iss": "https://issuer.example.invalid"}),
    ),
    "none": ("TOKEN_ALGORITHM", lambda _, good: _unsigned(good)),
    "symmetric": (
        "TOKEN_ALGORITHM",
        lambda forge, good: forge.sign(good, key=OctKey.import_key("0" * 32), alg="HS256"),
    ),
    "another key": (
        "TOKEN_SIGNATURE",
        lambda forge, good: forge.sign(good, key=ECKey.generate_key("P-256", auto_kid=True), alg="ES256"),
    ),
    "an unknown kid": ("TOKEN_SIGNATURE", lambda forge, good: forge.sign(good, kid="unknown")),
    "tampered": ("TOKEN_SIGNATURE", lambda forge, good: _tampered(forge.sign(good))),
    "no exp": ("TOKEN_CLAIM_MISSING", lambda forge, good: forge.sign(_without(good, "exp"))),
    "no sub": ("TOKEN_CLAIM_MISSING", lambda forge, good: forge.sign(_without(good, "sub"))),
    "no iat": ("TOKEN_CLAIM_MISSING", lambda forge, good: forge.sign(_without(good, "iat"))),
    "not a token": ("TOKEN_MALFORMED", lambda *_: "not.a-token"),
}
