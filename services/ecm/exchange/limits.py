"""What one client may ask of this worker, and how many bad tokens one address may try.

Whoever asks too much is answered 429 with Retry-After before anything is looked
for; that is counted, and not written into the audit: a flood must not become
writes.
"""

import asyncio
from typing import Final, Self

from ecm.exchange.settings import ExchangeSettings
from ecm.kit.errors import DomainError, Reason
from ecm.kit.metrics import HTTP_TURNED_AWAY
from ecm.kit.rates import Rates
from ecm.kit.region import Region

LARGE_AT_ONCE: Final = 2
BUSY_SECONDS: Final = 1.0
"""When to try again, where too much of the same client's is under way."""

_RATE, _BUSY, _TOKENS = (HTTP_TURNED_AWAY.labels(why) for why in ("client_rate", "client_busy", "bad_tokens"))


class Limits:
    """By client: so many requests a second, so many at once. By address: so many refused tokens a second."""

    def __init__(self, clients: Rates, at_once: int, bad_tokens: Rates) -> None:
        self._clients = clients
        self._at_once = at_once
        self._bad_tokens = bad_tokens
        # How many are inside, by client: as many names as the issuer has clients.
        self._inside: dict[str, int] = {}
        self._large: dict[str, asyncio.Semaphore] = {}

    @classmethod
    def of(cls, settings: ExchangeSettings, region: Region) -> Self:
        """As the settings and the region file say."""
        own = {c.id: c.requests_per_second for c in region.clients if c.requests_per_second is not None}
        clients = Rates(settings.client_requests_per_second, own)
        return cls(clients, settings.client_requests_at_once, Rates(settings.bad_tokens_per_second))

    @classmethod
    def none(cls) -> Self:
        """Without any: for whoever measures the exchange itself."""
        return cls(Rates(0), 0, Rates(0))

    def enter(self, client: str) -> None:
        """Lets one request of the client in; RATE_LIMITED where there are too many. Who is in has to `leave`."""
        inside = self._inside.get(client, 0)
        if inside >= self._at_once and self._at_once:
            _BUSY.inc()
            text = f"{self._at_once} requests of this client are under way; wait for their answers."
            raise DomainError(Reason.RATE_LIMITED, text, retry_after=BUSY_SECONDS)
        late = self._clients.take(client)
        if late:
            _RATE.inc()
            raise DomainError(Reason.RATE_LIMITED, "This client asks too often; wait, then go on.", retry_after=late)
        self._inside[client] = inside + 1

    def leave(self, client: str) -> None:
        """The request is answered, or gone."""
        self._inside[client] -= 1

    def large(self, client: str) -> asyncio.Semaphore:
        """How many large bodies of the client's may be held at once."""
        return self._large.setdefault(client, asyncio.Semaphore(LARGE_AT_ONCE))

    def tries_too_many(self, address: str) -> bool:
        """Whether so many tokens of that address were refused that no unknown one is looked at now."""
        return self._bad_tokens.empty(address)

    def turned_away(self) -> DomainError:
        """RATE_LIMITED for an unknown token of such an address."""
        _TOKENS.inc()
        text = "Too many tokens from this address were refused; wait, then send one that is right."
        return DomainError(Reason.RATE_LIMITED, text, retry_after=BUSY_SECONDS)

    def refused(self, address: str) -> None:
        """A token of that address was refused."""
        self._bad_tokens.take(address)


class Seat:
    """One request's place among its client's, once it is known whose it is."""

    __slots__ = ("_client", "_large", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._client: str | None = None
        self._large: asyncio.Semaphore | None = None

    def take(self, client: str) -> None:
        """RATE_LIMITED where there is none."""
        self._limits.enter(client)
        self._client = client

    async def take_large(self) -> None:
        """Waits until another large body of the client's may be held; at once where this one is held already."""
        if self._large is None and self._client is not None:
            waited_for = self._limits.large(self._client)
            await waited_for.acquire()
            self._large = waited_for

    def leave(self) -> None:
        """Frees what was taken."""
        if self._large is not None:
            self._large.release()
        if self._client is not None:
            self._limits.leave(self._client)
