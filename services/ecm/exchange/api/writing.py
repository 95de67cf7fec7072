"""What the two write interactions work with, and what both do."""

from dataclasses import dataclass, replace

from ecm.exchange.api.answering import Projecting
from ecm.exchange.api.body import Reading
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.intake.authors import HEADER, asserted, author_required
from ecm.exchange.intake.context import Writer
from ecm.exchange.intake.elements import Element
from ecm.exchange.intake.forwarding import Forwarding
from ecm.exchange.intake.lookup import Lookup
from ecm.exchange.intake.memory import Memory
from ecm.exchange.intake.write_table import Write
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region


@dataclass(frozen=True, slots=True)
class Intake:
    """Made once, by `ecm.exchange.api.writes.write_handlers`."""

    region: Region
    lookup: Lookup
    memory: Memory
    forwarding: Forwarding
    projection: Projecting
    reading: Reading

    def kind(self, incoming: Incoming) -> str | None:
        """The kind of the caller's agency."""
        return self.region.agency_kind(incoming.caller.agency)


def writer_of(incoming: Incoming, region: Region, write: Write) -> Writer:
    """Who writes; AUTHOR_REQUIRED where it is clinical and nobody is asserted."""
    caller = incoming.caller
    client = region.client(caller.client)
    if client is None:
        raise DomainError(Reason.PERMISSION_DENIED, "This client isn't one of the region.")
    author = asserted(incoming.request.headers.get(HEADER), client, region)
    if write.clinical and author is None:
        raise author_required("A clinical write names its author in X-Provenance.")
    return Writer(region, caller.client, caller.agency, author)


def header(incoming: Incoming, name: str) -> str | None:
    """A header of the request."""
    return incoming.request.headers.get(name)


def note_ids(incoming: Incoming, write: Write, root: Element) -> None:
    """The audit knows a write by the ids in its body too, so that a YOT finds an attempt that named the child."""
    asked = [incoming.api.fingerprints.of_id(named.target.id) for named in write.references(root)]
    known = tuple(dict.fromkeys([*incoming.inquiry.asked, *asked]))
    incoming.inquiry = replace(incoming.inquiry, asked=known)
    # What was noted before the body was read lacked them: whatever comes now is noted again.
    incoming.audited = False
