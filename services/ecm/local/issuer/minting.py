"""Access tokens: what they say and how they are signed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from ecm.admin.names import TOKEN_SECONDS


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token is for: `ecm.kit.auth.claims.Claims` without the issuer's own fields."""

    sub: str
    azp: str
    audience: Sequence[str]
    scope: str = ""
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Mint:
    """Signs tokens of one issuer with ES256."""

    issuer: str
    key: ECKey

    def token(self, subject: Subject, now: int) -> str:
        """A signed token that lives `TOKEN_SECONDS` seconds from `now` (seconds since 1970)."""
        claims = {
            "iss": self.issuer,
            "sub": subject.sub,
            "azp": subject.azp,
            "aud": list(subject.audience),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": str(uuid.uuid4()),
            "scope": subject.scope,
            **(subject.extra or {}),
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=["ES256"])

    def jwks(self) -> dict[str, Any]:
        """The public key set (RFC 7517)."""
        return {"keys": [self.key.as_dict(private=False)]}
