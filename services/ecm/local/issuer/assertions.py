"""Checks of a signed assertion: RFC 7523 §3, with SMART's bound of five minutes."""

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
        if not isinstance(jti, str) or not 1 <= len(jti) <= 256:
            raise refuse("The assertion needs a jti of 1 to 256 characters.")
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
        import json

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
    expires, issued, earliest = claims.get("exp"), claims.get("iat", now), claims.get("nbf", now)
    if not all(isinstance(moment, int) for moment in (expires, issued, earliest)):
        raise refuse("The assertion needs exp (and iat, nbf where given) in whole seconds since 1970.")
    if expires + LEEWAY < now:
        raise refuse("The assertion has expired. Sign a new one.")
    if expires > now + LONGEST + LEEWAY:
        raise refuse(f"The assertion's exp is more than {LONGEST} seconds ahead, which SMART forbids.")
    if max(issued, earliest) > now + LEEWAY:
        raise refuse("The assertion's iat or nbf is in the future. Set the clock right.")
    return int(expires)
