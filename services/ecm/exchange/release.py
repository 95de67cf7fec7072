"""The only door outward: nothing leaves without it.

The lease is checked before the transaction and again before the bytes are
handed on; the commit of `disclose()` lies in between.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from ecm.exchange.asks import Answer, Ask, Inquiry
from ecm.exchange.audit.writers import Writers
from ecm.exchange.caller import PartnerCaller
from ecm.kit.errors import DomainError, Reason


class LeaseCheck(Protocol):
    """The exchange's word from `consent` that nothing narrower waits."""

    def require(self) -> None:
        """Raises LEASE_EXPIRED where it is too old."""
        ...


class Release:
    """Decides, audits and hands out, in this order."""

    def __init__(self, writers: Writers, lease: LeaseCheck) -> None:
        self._writers = writers
        self._lease = lease

    async def release(self, caller: PartnerCaller, asks: Sequence[Ask]) -> list[Answer]:
        """One answer per ask, each in the audit by now.

        Errors: CLIENT_BLOCKED (audited), LEASE_EXPIRED and PEER_UNREACHABLE (503, nothing leaves).
        """
        self._lease.require()
        if len(asks) == 1:
            answers = [await self._writers.disclose(caller, asks[0])]
        else:
            answers = list(await asyncio.gather(*(self._writers.disclose(caller, ask) for ask in asks)))
        self._lease.require()
        if any(answer.outcome == "blocked" for answer in answers):
            raise DomainError(Reason.CLIENT_BLOCKED, "This client isn't admitted, or no longer.")
        return answers

    async def one(self, caller: PartnerCaller, ask: Ask) -> Answer:
        """The answer to a single ask."""
        return (await self.release(caller, [ask]))[0]

    async def note(self, caller: PartnerCaller, inquiry: Inquiry, outcome: str = "refused") -> None:
        """Only writes the audit: of a request that is refused before anything is looked for."""
        await self.release(caller, [Ask(inquiry, "none", outcome=outcome)])
