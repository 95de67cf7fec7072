"""Checks of a signed assertion: RFC 7523 §3, with SMART's bound of five minutes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from ecm.local.issuer.clients import Registered
from ecm.local.issuer.refusals import Refused
from ecm.local.issuer.replay import UsedAssertions

LONGEST = 300
LEEWAY = 5
LONGEST_JTI = 256

Refuse = Callable[[str], Refused]


@dataclass(frozen=True, slots=True)
class AssertionCheck:
    """Accepts an assertion once: right signature, audience and times. `audiences` are this issuer's names."""

    audiences: Sequence[str]
    used: UsedAssertions

    def verify(self, assertion: str, client: Registered, now: int, refuse: Refuse) -> dict[str, Any]:
        """Its claims; raises what `refuse` makes of the reason."""
        claims = _signed_claims(assertion, client, refuse)
        self._check_audience(claims, refuse)
        expires = _expiry(claims, now, refuse)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 1 <= len(jti) <= LONGEST_JTI:
            raise refuse(f"The assertion needs a jti of 1 to {LONGEST_JTI} characters.")
        if not self.used.use(client.id, jti, expires, now):
            raise refuse("This assertion was used before. Sign a new one, with a new jti, for each request.")
        return claims

    def _check_audience(self, claims: dict[str, Any], refuse: Refuse) -> None:
        named = claims.get("aud")
        listed = [named] if isinstance(named, str) else named
        if not isinstance(listed, list) or len(listed) != 1 or listed[0] not in self.audiences:
            raise refuse(f"The assertion's aud must be one of: {', '.join(self.audiences)}.")


def claimed_issuer(assertion: str) -> str:
    """Who the assertion says made it, not believed yet; "" where it isn't a JWT."""
    try:
        token = extract_compact(assertion.encode("ascii"))
        claimed = json.loads(token.payload)
    except (JoseError, ValueError):
        return ""
    issuer = claimed.get("iss") if isinstance(claimed, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _signed_claims(assertion: str, client: Registered, refuse: Refuse) -> dict[str, Any]:
    try:
        token = jwt.decode(assertion, client.key, algorithms=list(client.algorithms))
    except (JoseError, ValueError) as error:
        allowed = " or ".join(client.algorithms)
        raise refuse(f"The assertion isn't signed by the client's registered key with {allowed}.") from error
    return dict(token.claims)


def _expiry(claims: dict[str, Any], now: int, refuse: Refuse) -> int:
    expires = _seconds(claims, "exp", None, refuse)
    earliest = max(_seconds(claims, "iat", now, refuse), _seconds(claims, "nbf", now, refuse))
    if expires + LEEWAY < now:
        raise refuse("The assertion has expired. Sign a new one.")
    if expires > now + LONGEST + LEEWAY:
        raise refuse(f"The assertion's exp is more than {LONGEST} seconds ahead, which SMART forbids.")
    if earliest > now + LEEWAY:
        raise refuse("The assertion's iat or nbf is in the future. Set the clock right.")
    return expires


def _seconds(claims: dict[str, Any], name: str, default: int | None, refuse: Refuse) -> int:
    value = claims.get(name, default)
    if not isinstance(value, int):
        raise refuse(f"The assertion needs {name} in whole seconds since 1970.")
    return value
