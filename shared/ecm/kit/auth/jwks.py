"""The issuer's public keys, cached."""

import contextlib
from collections.abc import Callable

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from ecm.kit.auth.renewal import Renewal
from ecm.kit.clock import Clock
from ecm.kit.errors import DomainError, Reason

UNKNOWN_KEY_SECONDS = 10.0
"""An unknown key id asks the issuer at most this often: made-up ids must not become load on it."""
RENEW_SECONDS = 300.0
"""After this long the keys are fetched again, beside those who use them."""
MAX_AGE_SECONDS = 600.0
"""After this long they are waited for, so that a key the issuer dropped stops opening doors."""
FAILED_SECONDS = 20.0
"""They are gone by for so long after the issuer wasn't heard; then they are waited for once more."""
FETCH_SECONDS = 3.0


class JwksCache:
    """Keys by key id. Safe for concurrent use within one event loop.

    Where the issuer is away, what is known stays good, and nobody waits for more than one attempt. `changed` is
    called when other keys have come.
    """

    def __init__(self, url: str, clock: Clock, http: httpx.AsyncClient, changed: Callable[[], None]) -> None:
        self._url = url
        self._clock = clock
        self._http = http
        self._changed = changed
        self._keys: dict[str, Key] = {}
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._fetching = Renewal("keys", self._fetch, FETCH_SECONDS, clock)

    async def key(self, kid: str) -> Key | None:
        """The key, None where the issuer hasn't it; PEER_UNREACHABLE where it can't be asked and none is known."""
        known, age = self._keys.get(kid), self._clock.boottime() - self._fetched_at
        if known is not None and age <= RENEW_SECONDS:
            return known
        may_ask = self._clock.boottime() - self._asked_at >= UNKNOWN_KEY_SECONDS
        if known is not None and (age <= MAX_AGE_SECONDS or self._fetching.failed_within(FAILED_SECONDS)):
            if may_ask:
                self._fetching.begin()
            return known
        if may_ask or self._fetching.under_way:
            await self._wait()
        return self._found(kid)

    async def _wait(self) -> None:
        # What it failed by is told in the log; here it matters only where a key lacks.
        with contextlib.suppress(httpx.HTTPError, JoseError, ValueError, KeyError, TypeError, TimeoutError):
            await self._fetching.wait()

    def _found(self, kid: str) -> Key | None:
        found = self._keys.get(kid)
        if found is None and self._fetching.failed_within(FAILED_SECONDS):
            raise DomainError(Reason.PEER_UNREACHABLE, "The issuer's keys can't be fetched.")
        return found

    async def _fetch(self) -> None:
        began = self._clock.boottime()
        if self._keys:
            self._asked_at = began
        response = await self._http.get(self._url, timeout=FETCH_SECONDS)
        response.raise_for_status()
        keys = KeySet.import_key_set(response.json())
        before = _thumbprints(self._keys)
        self._keys = {key.kid: key for key in keys if key.kid and key.get("use", "sig") == "sig"}
        self._fetched_at = self._asked_at = began
        if _thumbprints(self._keys) != before:
            self._changed()


def _thumbprints(keys: dict[str, Key]) -> dict[str, str]:
    return {kid: key.thumbprint() for kid, key in keys.items()}
