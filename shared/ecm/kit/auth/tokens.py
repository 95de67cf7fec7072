"""Tokens for calling others: client credentials with `private_key_jwt` (RFC 7523, SMART Backend Services)."""

import json
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from ecm.kit.auth.renewal import Renewal
from ecm.kit.clock import Clock, SystemClock
from ecm.kit.errors import DomainError, Reason
from ecm.kit.settings import ServiceSettings

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
LAST_SECONDS = 10.0
"""A token isn't used any more so shortly before it expires."""
RETRY_SECONDS = 1.0
"""Where the issuer gave none, or one that a peer refuses, it is asked at most this often."""
ASK_SECONDS = 5.0
_ALGORITHM_OF = {"P-256": "ES256", "P-384": "ES384"}


class TokenSource:
    """This service's own access tokens for one audience, cached until 10 s before they expire.

    From half of its life on a token is renewed, beside the calls that use it: an issuer that is away for a while
    isn't noticed. The audience is asked for by the scope of its name, which issuers turn into `aud`.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        audience: str,
        *,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._audience = audience
        self._http = http or httpx.AsyncClient()
        self._clock = clock or SystemClock()
        self._token = ""
        self._renew_at = self._good_until = self._asked_at = float("-inf")
        self._renewing = Renewal(f"a token for {audience}", self._renew, ASK_SECONDS, self._clock)

    async def token(self) -> str:
        """A token that lives for 10 s at least; PEER_UNREACHABLE where the issuer gives none within 5 s."""
        now = self._clock.boottime()
        if now >= self._good_until:
            await self._new()
        elif now >= self._renew_at and now - self._asked_at >= RETRY_SECONDS:
            self._renewing.begin()
        return self._token

    def forget(self, token: str) -> None:
        """Drops a token that a peer has refused, unless there is a newer one, or the issuer was asked just now."""
        if token == self._token and self._clock.boottime() - self._asked_at >= RETRY_SECONDS:
            self._good_until = float("-inf")

    async def close(self) -> None:
        """Ends the connections to the issuer."""
        await self._renewing.close()
        await self._http.aclose()

    async def _new(self) -> None:
        try:
            await self._renewing.wait()
        except TimeoutError:
            raise DomainError(Reason.PEER_UNREACHABLE, "The issuer doesn't answer in time.") from None

    async def _renew(self) -> None:
        asked_at = self._asked_at = self._clock.boottime()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(),
            "scope": self._audience,
        }
        try:
            response = await self._http.post(self._settings.token_url, data=form, timeout=ASK_SECONDS)
            response.raise_for_status()
            answer = response.json()
            token, life = str(answer["access_token"]), float(answer["expires_in"])
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            raise DomainError(Reason.PEER_UNREACHABLE, f"The issuer gave no token (HTTP {status}).") from None
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            raise DomainError(Reason.PEER_UNREACHABLE, "The issuer can't be reached for a token.") from None
        self._token = token
        self._renew_at = asked_at + life / 2
        self._good_until = asked_at + max(life - LAST_SECONDS, life / 2)

    def _assertion(self) -> str:
        key = _private_key(self._settings)
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._settings.client_id,
            "sub": self._settings.client_id,
            # The issuer's one name: it may be reached by several URLs.
            "aud": self._settings.issuer,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        algorithm = _ALGORITHM_OF.get(str(key.get("crv", "")), "RS384")
        return jwt.encode({"alg": algorithm, "kid": key.kid or ""}, claims, key, algorithms=[algorithm])


def _private_key(settings: ServiceSettings) -> Key:
    """The service's private JWK; ValueError that says which setting is wrong."""
    path = settings.client_key_file
    if path is None:
        raise ValueError(f"ECM_CLIENT_KEY_FILE isn't set, and {settings.client_id} needs it to call other services.")
    try:
        jwk = json.loads(path.read_text(encoding="utf-8"))
        return RSAKey.import_key(jwk) if jwk["kty"] == "RSA" else ECKey.import_key(jwk)
    except (OSError, JoseError, KeyError, ValueError) as error:
        raise ValueError(f"ECM_CLIENT_KEY_FILE doesn't hold a private JWK ({type(error).__name__}).") from None
