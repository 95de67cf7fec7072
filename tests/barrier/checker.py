"""The checker's rule: what counts as a breach of the barrier. Each rule answers with every breach that it finds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from barrier.marks import Disclosed, Ledger, Mark, opened_by
from barrier.opened import Served
from barrier.record import Closed, Record, Seen, Stood

LATEST_SECONDS = 2.0
"""After its chunk's commit a byte may be handed to the socket for so long."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One, in words: never with what stood in it."""

    rule: str
    what: str


@dataclass(frozen=True, slots=True)
class Handed:
    """The last byte of a request's chunk, by the worker itself: boot times of commit and hand-over."""

    worker: str
    committed: float
    handed: float


def check(record: Record, ledger: Ledger, handed: Iterable[Handed]) -> list[Breach]:
    """Every breach."""
    return [
        *answered_after_enforced(record, ledger.served),
        *audited_at_a_narrowed_version(ledger),
        *committed_after_enforced(ledger),
        *told_after_enforced(ledger),
        *handed_too_late(handed, record.stood),
    ]


def answered_after_enforced(record: Record, served: dict[tuple[str, str, str], Served]) -> Iterator[Breach]:
    """A request that was sent after A = ENFORCED gets closed content."""
    by_agency: dict[str, list[Closed]] = {}
    for closed in record.closed:
        by_agency.setdefault(closed.agency, []).append(closed)
    for seen in record.seen:
        covering = [closed for closed in by_agency.get(seen.client, []) if closed.covers(seen)] if seen.versions else []
        for closed in covering:
            yield from _shown(seen, closed, served)


def _shown(seen: Seen, closed: Closed, served: dict[tuple[str, str, str], Served]) -> Iterator[Breach]:
    for version in seen.versions:
        one = served.get(version)
        if one is None or not one.child or closed.child not in ("", one.child):
            continue
        if not closed.opened.opens(one):
            late = seen.sent - closed.since
            words = f"{seen.route} at {seen.worker} showed {one.type} in view {one.view} to {seen.client}"
            yield Breach("answered after ENFORCED", f"{words}, {late:.3f} s after {closed.kind}")


def audited_at_a_narrowed_version(ledger: Ledger) -> Iterator[Breach]:
    """An audit row whose grants version is the narrowing's, or later, discloses what that version doesn't open."""
    sets = {(mark.child, mark.version): mark for mark in ledger.marks if mark.child}
    for entry in ledger.disclosed:
        mark = sets.get((entry.child, entry.version))
        if mark is not None:
            yield from _not_open(entry, mark, None, ledger, "audited at a version that doesn't open it")


def committed_after_enforced(ledger: Ledger) -> Iterator[Breach]:
    """A disclosure was committed after E, and isn't open by the set whose E was the last before it."""
    relevant = ledger.relevant()
    for entry in ledger.disclosed:
        mark = _last(relevant.get((entry.child, entry.agency), []), entry)
        region = _last(relevant.get(("", entry.agency), []), entry)
        if entry.child and mark is not None:
            yield from _not_open(entry, mark, region, ledger, "committed after E")


def _last(marks: list[Mark], entry: Disclosed) -> Mark | None:
    before = [mark for mark in marks if mark.tips.get(entry.writer, 0) < entry.n]
    return before[-1] if before else None


def _not_open(entry: Disclosed, mark: Mark, region: Mark | None, ledger: Ledger, rule: str) -> Iterator[Breach]:
    opened = opened_by(mark, entry.agency, region)
    for version in entry.resources:
        one = ledger.served.get(version)
        if one is not None and not opened.opens(one):
            yield Breach(rule, f"{entry.interaction} showed {one.type} in view {one.view} to {entry.agency}")


def told_after_enforced(ledger: Ledger) -> Iterator[Breach]:
    """An `available` or `changed` of what is closed was numbered after E."""
    relevant = ledger.relevant()
    versions: dict[tuple[str, str], list[Served]] = {}
    for one in ledger.served.values():
        versions.setdefault((one.type, one.id), []).append(one)
    for told in ledger.told:
        ours = [one for one in versions.get((told.type, told.resource), []) if one.child]
        child = ours[0].child if ours else ""
        before = [mark for mark in relevant.get((child, told.agency), []) if mark.outbox < told.id]
        regions = [mark for mark in relevant.get(("", told.agency), []) if mark.outbox < told.id]
        if child and before:
            opened = opened_by(before[-1], told.agency, regions[-1] if regions else None)
            if not any(opened.opens(one) for one in ours):
                yield Breach("numbered after E", f"{told.type} to {told.agency}")


def handed_too_late(handed: Iterable[Handed], stood: Iterable[Stood]) -> Iterator[Breach]:
    """A last byte was handed to the socket later than 2 s after its chunk's commit, standing still taken off."""
    pauses = list(stood)
    for one in handed:
        still = sum(
            max(0.0, min(pause.until, one.handed) - max(pause.since, one.committed))
            for pause in pauses
            if pause.process == one.worker
        )
        if one.handed - one.committed - still > LATEST_SECONDS:
            yield Breach(
                "handed too late", f"{one.handed - one.committed:.3f} s at {one.worker}, {still:.3f} s of it still"
            )
