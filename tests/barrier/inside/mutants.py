"""Faults that somebody might make, each made in a process of a run. That the checker finds them is what is tested."""

import time
from collections.abc import Callable
from typing import Any

from ecm.api.consent.v1.consent_service_pb2 import ENFORCEMENT_STATE_ENFORCED

KEPT_SECONDS = 30.0


def cache_a_grant() -> None:
    """A decision is kept for a while, to save a round trip."""
    from ecm.exchange.release import Release

    decide, kept = Release.one, {}

    async def one(self: Any, caller: Any, ask: Any) -> Any:
        key = (caller.client, ask.kind, ask.type, ask.id, ask.page)
        found = kept.get(key)
        if found is None or time.monotonic() - found[0] > KEPT_SECONDS:
            found = kept[key] = (time.monotonic(), await decide(self, caller, ask))
        return found[1]

    Release.one = one  # type: ignore[method-assign]


def ignore_the_lease() -> None:
    """It is asked for, and never looked at."""
    from ecm.exchange.lease import Lease

    Lease.require = lambda self: None  # type: ignore[method-assign]


def answer_before_e() -> None:
    """`consent` answers ENFORCED once it has recorded, since the exchange will have it soon."""
    from ecm.consent.enforcement import Enforcement

    async def settle(self: Any, narrowing_id: Any, seconds: float) -> Any:
        told = await self.recorded(narrowing_id)
        told.state = ENFORCEMENT_STATE_ENFORCED
        return told

    Enforcement.settle = settle  # type: ignore[method-assign]


def cannot_map_children() -> None:
    """What a child's newer version says can't be mapped."""
    from ecm.exchange.mapping import map_record
    from ecm.exchange.projection import project

    def mapped(version: Any, context: Any) -> Any:
        if version.kind == "CHILD":
            raise ValueError("An invented value that no mapping knows.")
        return map_record(version, context)

    project.map_record = mapped


MUTANTS: dict[str, Callable[[], None]] = {
    "cache-a-grant": cache_a_grant,
    "ignore-the-lease": ignore_the_lease,
    "answer-before-e": answer_before_e,
    "cannot-map-children": cannot_map_children,
}


def install(name: str) -> None:
    """Makes the fault of that name in this process. KeyError for one that isn't known."""
    MUTANTS[name]()
