"""The issuer's public keys, cached."""

import asyncio

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from ecm.kit.clock import Clock
from ecm.kit.errors import DomainError, Reason

UNKNOWN_KEY_SECONDS = 10.0
"""An unknown key id asks the issuer at most this often: made-up ids must not become load on it."""
MAX_AGE_SECONDS = 600.0
"""After this long the keys are fetched again, so that a key the issuer dropped stops opening doors."""
FETCH_SECONDS = 3.0


class JwksCache:
    """Keys by key id. Safe for concurrent use within one event loop."""

    def __init__(self, url: str, clock: Clock, http: httpx.AsyncClient) -> None:
        self._url = url
        self._clock = clock
        self._http = http
        self._keys: dict[str, Key] = {}
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> Key | None:
        """The key, None where the issuer hasn't it; PEER_UNREACHABLE where it can't be asked and nothing is known."""
        if kid not in self._keys or self._age() > MAX_AGE_SECONDS:
            async with self._lock:
                await self._refresh(kid)
        return self._keys.get(kid)

    def _age(self) -> float:
        return self._clock.boottime() - self._fetched_at

    async def _refresh(self, kid: str) -> None:
        now = self._clock.boottime()
        stale = kid not in self._keys or self._age() > MAX_AGE_SECONDS
        if not stale or now - self._asked_at < UNKNOWN_KEY_SECONDS:
            return
        try:
            self._keys = await self._fetch()
            self._fetched_at = self._asked_at = now
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError):
            if not self._keys:
                raise DomainError(Reason.PEER_UNREACHABLE, "The issuer's keys can't be fetched.") from None
            self._asked_at = now

    async def _fetch(self) -> dict[str, Key]:
        response = await self._http.get(self._url, timeout=FETCH_SECONDS)
        response.raise_for_status()
        keys = KeySet.import_key_set(response.json())
        return {key.kid: key for key in keys if key.kid and key.get("use", "sig") == "sig"}
