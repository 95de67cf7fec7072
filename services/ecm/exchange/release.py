"""The only door outward: nothing leaves without it.

The lease is checked before the transaction and again before the bytes are
handed on; the commit of `disclose()` lies in between. Whoever keeps them for
longer than that checks it once more.
"""

from typing import Protocol

from ecm.exchange.audit.writers import Writers
from ecm.exchange.disclosure.asks import Answer, Ask
from ecm.exchange.disclosure.caller import PartnerCaller
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

    def require(self) -> None:
        """Raises LEASE_EXPIRED where what was decided may no longer be handed on."""
        self._lease.require()

    async def one(self, caller: PartnerCaller, ask: Ask) -> Answer:
        """The answer, in the audit by now.

        Errors: CLIENT_BLOCKED (audited), LEASE_EXPIRED and PEER_UNREACHABLE (503, nothing leaves).
        """
        self.require()
        answer = await self._writers.disclose(caller, ask)
        self.require()
        if answer.outcome == "blocked":
            raise DomainError(Reason.CLIENT_BLOCKED, "This client isn't admitted, or no longer.")
        return answer
