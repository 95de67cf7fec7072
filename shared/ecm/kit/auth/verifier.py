"""Checks access tokens locally: algorithm, signature, issuer, audience, times (RFC 9068)."""

import base64
import hashlib
import json
from collections import OrderedDict
from typing import Any, NamedTuple

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from pydantic import ValidationError

from ecm.kit.auth.claims import Claims
from ecm.kit.auth.jwks import RENEW_SECONDS, JwksCache
from ecm.kit.clock import Clock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.metrics import TOKENS_CHECKED

ALGORITHMS = ("ES256", "ES384", "RS256", "PS256")
REQUIRED = ("iss", "sub", "aud", "exp", "iat")
LEEWAY_SECONDS = 5
LONGEST_LIFE_SECONDS = 3_600
"""No issuer may give a token for longer: what is stolen ends."""
LONGEST_TOKEN = 16_384
CACHED_TOKENS = 4_096
JWS_PARTS = 3


class Remembered(NamedTuple):
    """A token that was verified: its claims, and until when (seconds since 1970) they are gone by."""

    claims: Claims
    until: float


class TokenVerifier:
    """Says what a token claims, or why it opens nothing.

    A token that has been verified is remembered by its hash, for as long as keys aren't fetched anew; its times are
    checked at every use.
    """

    def __init__(self, issuer: str, jwks_url: str, audience: str, clock: Clock, http: httpx.AsyncClient) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._verified: OrderedDict[bytes, Remembered] = OrderedDict()
        self._keys = JwksCache(jwks_url, clock, http, self._verified.clear)
        self._ok = TOKENS_CHECKED.labels("ok")

    async def verify(self, token: str) -> Claims:
        """The claims; a DomainError with one of the TOKEN_… reasons otherwise."""
        try:
            now = self._clock.now().timestamp()
            claims = await self._claims(token, now)
            _check_times(claims, now)
        except DomainError as error:
            TOKENS_CHECKED.labels(error.reason.value).inc()
            raise
        self._ok.inc()
        return claims

    def knows(self, token: str) -> bool:
        """Whether it was verified before: then checking it again hardly ever costs a signature."""
        return _digest(token) in self._verified

    async def _claims(self, token: str, now: float) -> Claims:
        digest = _digest(token)
        known = self._verified.get(digest)
        if known is not None and now < known.until:
            self._verified.move_to_end(digest)
            return known.claims
        claims = self._checked_claims(await self._signed_claims(token))
        self._verified[digest] = Remembered(claims, now + RENEW_SECONDS)
        if len(self._verified) > CACHED_TOKENS:
            self._verified.popitem(last=False)
        return claims

    async def _signed_claims(self, token: str) -> dict[str, Any]:
        header = _header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise DomainError(Reason.TOKEN_ALGORITHM, f"Tokens are signed with one of {', '.join(ALGORITHMS)}.")
        key = await self._keys.key(str(header.get("kid", "")))
        if key is None:
            raise DomainError(Reason.TOKEN_SIGNATURE, "The token's key isn't one of the issuer's.")
        return _verified_payload(token, key, algorithm)

    def _checked_claims(self, payload: dict[str, Any]) -> Claims:
        missing = [name for name in REQUIRED if payload.get(name) in (None, "", [])]
        if missing:
            raise DomainError(Reason.TOKEN_CLAIM_MISSING, f"The token lacks {', '.join(missing)}.", field=missing[0])
        if payload["iss"] != self._issuer:
            raise DomainError(Reason.TOKEN_ISSUER, "The token is another issuer's.")
        try:
            claims = Claims.model_validate(payload)
        except ValidationError as error:
            field = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise DomainError(Reason.TOKEN_MALFORMED, f"The claim {field} is malformed.", field=field) from None
        if self._audience not in claims.aud:
            raise DomainError(
                Reason.TOKEN_AUDIENCE, f"The token isn't meant for {self._audience}; ask for that audience."
            )
        if claims.exp - claims.iat > LONGEST_LIFE_SECONDS:
            raise DomainError(
                Reason.TOKEN_MALFORMED, "The token lives for more than an hour; the issuer is to give shorter ones."
            )
        return claims


def _check_times(claims: Claims, now: float) -> None:
    if now >= claims.exp + LEEWAY_SECONDS:
        raise DomainError(Reason.TOKEN_EXPIRED, "The token has expired; get a new one.")
    if max(claims.iat, claims.nbf) > now + LEEWAY_SECONDS:
        raise DomainError(Reason.TOKEN_EXPIRED, "The token isn't valid yet; compare the clocks.")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _header(token: str) -> dict[str, Any]:
    """The header of a compact JWS, unverified; TOKEN_MALFORMED where it isn't one."""
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or len(parts) != JWS_PARTS:
        raise DomainError(Reason.TOKEN_MALFORMED, "The token isn't a signed JWT.")
    try:
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise DomainError(Reason.TOKEN_MALFORMED, "The token's header isn't JSON.")
    return header


def _verified_payload(token: str, key: Key, algorithm: str) -> dict[str, Any]:
    try:
        return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError):
        raise DomainError(Reason.TOKEN_SIGNATURE, "The token's signature doesn't verify.") from None
