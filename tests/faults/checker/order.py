"""Order per child: what happened before stands before, in one partition."""

from collections import defaultdict

from faults.checker.changes import change, firsts
from faults.checker.verdict import Verdict
from faults.evidence import OWNERS, Evidence
from faults.ledger import Command


def versions_of_a_record(evidence: Evidence, verdict: Verdict) -> None:
    """A record's versions stand in their order, a child's events in one partition."""
    for service in OWNERS:
        last: dict[str, int] = {}
        partition: dict[str, int] = {}
        for message in firsts(evidence, service):
            found = change(service, message.value)
            before = last.get(found.record_id, 0)
            in_order = found.version > before
            verdict.expect(in_order, "order", f"{service}: {found.record_id} {found.version} stands after {before}")
            last[found.record_id] = max(found.version, before)
            one = partition.setdefault(message.key, message.partition) == message.partition
            verdict.expect(one, "order", f"{service}: the child {message.key} has two partitions")


def commands_of_a_child(evidence: Evidence, verdict: Verdict) -> None:
    """A command that was answered before another was sent has its event before the other's."""
    for service in OWNERS:
        place: dict[tuple[str, int], tuple[str, int]] = {}
        for number, message in enumerate(firsts(evidence, service)):
            found = change(service, message.value)
            place[found.record_id, found.version] = (found.child_id, number)
        of_child: dict[str, list[tuple[Command, int]]] = defaultdict(list)
        for command in evidence.commands:
            where = place.get((command.record_id, command.version))
            if command.service == service and where is not None:
                of_child[where[0]].append((command, where[1]))
        for child, commands in of_child.items():
            _in_order(service, child, commands, verdict)


def _in_order(service: str, child: str, commands: list[tuple[Command, int]], verdict: Verdict) -> None:
    for later, at in commands:
        for earlier, before in commands:
            if earlier.answered < later.sent:
                words = f"{service}: of child {child}, {later.method}'s event stands before {earlier.method}'s"
                verdict.expect(before <= at, "order", words)
                verdict.looked_at["pairs in order"] += 1
