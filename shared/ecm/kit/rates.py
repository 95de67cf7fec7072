"""How often somebody may ask: a token bucket each, kept as one number (GCRA, the virtual scheduling of ITU-T I.371).

Own code, since `limits` costs 8 to 22 µs a request (decision 20).
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

BURST_SECONDS: Final = 2.0
"""A bucket holds as much as comes in within so long."""
MOST_KNOWN: Final = 10_000
ROUNDING: Final = 1e-9
_NOBODY: Mapping[str, float] = MappingProxyType({})


class Rates:
    """Requests a second, by name: `default` of each, `own` of some; 0 is no limit. Of this process alone."""

    def __init__(
        self,
        default: float,
        own: Mapping[str, float] = _NOBODY,
        *,
        burst: float = BURST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each = 1 / default if default else 0.0
        self._own = {name: 1 / rate if rate else 0.0 for name, rate in own.items()}
        self._burst = burst
        self._clock = clock
        # When the bucket will be full again; who isn't here has a full one.
        self._full_at: dict[str, float] = {}

    def take(self, name: str) -> float:
        """Takes one; 0.0, or the seconds until there is one to take."""
        each = self._own.get(name, self._each) if self._own else self._each
        if not each:
            return 0.0
        now = self._clock()
        full_at = self._full_at.get(name, now)
        full_at = each + (full_at if full_at > now else now)
        late = full_at - now - self._burst
        if late > ROUNDING and full_at - now > each:
            return min(late, full_at - now - each)
        if len(self._full_at) >= MOST_KNOWN:
            self._forget(now)
        self._full_at[name] = full_at
        return 0.0

    def charge(self, name: str, cost: float) -> None:
        """Takes what is known only afterwards, also where there isn't so much: then there is none for longer."""
        each = self._own.get(name, self._each) if self._own else self._each
        if each:
            now = self._clock()
            full_at = self._full_at.get(name, now)
            self._full_at[name] = cost * each + (full_at if full_at > now else now)

    def empty(self, name: str) -> bool:
        """Whether there is nothing to take now; takes nothing."""
        full_at = self._full_at.get(name)
        if full_at is None:
            return False
        each = self._own.get(name, self._each)
        return full_at + each - self._clock() > max(self._burst, each)

    def _forget(self, now: float) -> None:
        """Those with a full bucket; everybody, where so many come at once that none is full."""
        kept = {name: at for name, at in self._full_at.items() if at > now}
        self._full_at = kept if len(kept) < MOST_KNOWN else {}
