"""What one client may ask of this worker, and what an address may whose requests name no client.

A client has few places: that many of its requests are served at once, the others wait for their turn. Whoever asks too
much is answered 429 with Retry-After before anything is looked for; that is counted, and not written into the audit: a
flood must not become writes. Nobody is refused at once: who asks again as soon as it is answered asks no faster by it.
"""

import asyncio
from typing import Final, Self

from ecm.exchange.settings import ExchangeSettings
from ecm.kit.errors import DomainError, Reason
from ecm.kit.metrics import HTTP_TURNED_AWAY
from ecm.kit.rates import Rates
from ecm.kit.region import Region

LARGE_AT_ONCE: Final = 2
HELD_SECONDS: Final = 1.0
"""How long a request waits for a place, and whoever asks too often for the refusal."""
RESOURCE_COST: Final = 0.125
"""A resource on a page, where a read costs 1: as measured (docs/decisions/0016)."""

_RATE, _BUSY, _TOKENS, _NAMELESS = (
    HTTP_TURNED_AWAY.labels(why) for why in ("client_rate", "client_busy", "bad_tokens", "nameless")
)


class Limits:
    """By client: so much a second, so many at once. By address: so many refused tokens, and nameless requests, a
    second."""

    def __init__(
        self,
        clients: Rates,
        at_once: int,
        bad_tokens: Rates,
        nameless: Rates,
        *,
        held_seconds: float = HELD_SECONDS,
    ) -> None:
        self._clients = clients
        self._at_once = at_once
        self._bad_tokens = bad_tokens
        self._nameless = nameless
        self._held_seconds = held_seconds
        # As many names as the issuer has clients.
        self._places: dict[str, asyncio.Semaphore] = {}
        self._large: dict[str, asyncio.Semaphore] = {}

    @classmethod
    def of(cls, settings: ExchangeSettings, region: Region) -> Self:
        """As the settings and the region file say."""
        own = {c.id: c.requests_per_second for c in region.clients if c.requests_per_second is not None}
        return cls(
            Rates(settings.client_requests_per_second, own),
            settings.client_requests_at_once,
            Rates(settings.bad_tokens_per_second),
            Rates(settings.nameless_requests_per_second),
        )

    @classmethod
    def none(cls) -> Self:
        """Without any: for whoever measures the exchange itself."""
        return cls(Rates(0), 0, Rates(0), Rates(0))

    async def enter(self, client: str) -> asyncio.Semaphore | None:
        """A place for one request of the client, which has to be released; RATE_LIMITED where none gets free in time,
        or the client asks too often."""
        late = self._clients.take(client)
        if late:
            raise await self._refusal("This client asks too often; wait, then go on.", late)
        if not self._at_once:
            return None
        places = self._places.get(client) or self._places.setdefault(client, asyncio.Semaphore(self._at_once))
        if not places.locked():
            await places.acquire()
        else:
            await self._wait(places)
        return places

    async def _wait(self, places: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._held_seconds):
                await places.acquire()
        except TimeoutError:
            _BUSY.inc()
            text = f"{self._at_once} requests of this client are under way, and others wait; wait for their answers."
            raise DomainError(Reason.RATE_LIMITED, text, retry_after=HELD_SECONDS) from None

    async def _refusal(self, text: str, late: float) -> DomainError:
        _RATE.inc()
        await asyncio.sleep(self._held_seconds)
        return DomainError(Reason.RATE_LIMITED, text, retry_after=late)

    def charge(self, client: str, resources: int) -> None:
        """A page of so many was answered: it has cost more than the one request that was taken for it."""
        self._clients.charge(client, resources * RESOURCE_COST)

    def large(self, client: str) -> asyncio.Semaphore:
        """How many large bodies of the client's may be held at once."""
        return self._large.setdefault(client, asyncio.Semaphore(LARGE_AT_ONCE))

    async def pace(self, address: str) -> None:
        """A request that names no client: of an address that sends many it is answered later."""
        if self._nameless.take(address):
            _NAMELESS.inc()
            await asyncio.sleep(self._held_seconds)

    def tries_too_many(self, address: str) -> bool:
        """Whether so many tokens of that address were refused that no unknown one is looked at now."""
        return self._bad_tokens.empty(address)

    async def turned_away(self) -> DomainError:
        """RATE_LIMITED for an unknown token of such an address."""
        _TOKENS.inc()
        await asyncio.sleep(self._held_seconds)
        text = "Too many tokens from this address were refused; wait, then send one that is right."
        return DomainError(Reason.RATE_LIMITED, text, retry_after=HELD_SECONDS)

    async def refused(self, address: str) -> None:
        """A token of that address was refused; who sends many is told later."""
        if self._bad_tokens.take(address):
            await asyncio.sleep(self._held_seconds)


class Seat:
    """One request's place among its client's, once it is known whose it is."""

    __slots__ = ("_client", "_large", "_limits", "_place")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._client = ""
        self._place: asyncio.Semaphore | None = None
        self._large: asyncio.Semaphore | None = None

    async def take(self, client: str) -> None:
        """Waits for its turn; RATE_LIMITED where that doesn't come."""
        self._place = await self._limits.enter(client)
        self._client = client

    def charge(self, resources: int) -> None:
        """What was answered."""
        self._limits.charge(self._client, resources)

    async def take_large(self) -> None:
        """Waits until another large body of the client's may be held; at once where this one is held already."""
        if self._large is None and self._client:
            waited_for = self._limits.large(self._client)
            await waited_for.acquire()
            self._large = waited_for

    def leave(self) -> None:
        """Frees what was taken."""
        if self._large is not None:
            self._large.release()
        if self._place is not None:
            self._place.release()
