"""No effect twice, none missing: each command's version once, each story's records as many as in a calm one."""

from collections import Counter
from typing import Any

from ecm.api.referrals.v1.referrals_records_pb2 import Case, CaseState
from faults.checker.changes import change
from faults.checker.verdict import Verdict
from faults.evidence import OWNERS, Evidence

Shape = Counter[tuple[str, str, int | str]]
FOLLOWS = "CASE"
"""A case follows the newest that other services have: when it hears late it passes steps over, and ends the same."""


def every_version_has_its_event(evidence: Evidence, verdict: Verdict) -> None:
    """Versions and events are one to one, and a record's versions are 1 to its newest."""
    for service in OWNERS:
        versions = Counter((str(row["record_id"]), row["version"]) for row in evidence.rows(service, "record_version"))
        told: Counter[tuple[str, int]] = Counter()
        for row in evidence.rows(service, "outbox"):
            found = change(service, row["value"])
            told[found.record_id, found.version] += 1
        for named, count in (versions - told).items():
            verdict.expect(False, "effects", f"{service}: version {named} has {count} more rows than events")
        for named, count in (told - versions).items():
            verdict.expect(False, "effects", f"{service}: version {named} has {count} more events than rows")
        for head in evidence.rows(service, "record"):
            kept = [number for (record_id, number) in versions if record_id == str(head["record_id"])]
            whole = sorted(kept) == list(range(1, head["version"] + 1))
            verdict.expect(whole, "effects", f"{service}: record {head['record_id']} hasn't versions 1 to its newest")
        verdict.looked_at["versions"] += len(versions)


def every_answer_has_its_effect(evidence: Evidence, verdict: Verdict) -> None:
    """What a client was told is done is there; no two commands were told the same new version."""
    for service in OWNERS:
        versions = {(str(row["record_id"]), row["version"]) for row in evidence.rows(service, "record_version")}
        for command in evidence.commands:
            if command.service == service:
                named = (command.record_id, command.version)
                verdict.expect(
                    named in versions, "answered", f"{command.method} was answered {named}, which isn't there"
                )
    verdict.looked_at["answers"] += len(evidence.commands)


def stories_end_alike(evidence: Evidence, verdict: Verdict) -> None:
    """Children of one story have as many records of each kind, and as many versions of them, as the first has.

    Their cases end in the same state, and take each step on the way once.
    """
    for story in evidence.stories:
        shapes = {child: _shape(evidence, child) for child in story}
        for child, shape in shapes.items():
            first = shapes[story[0]]
            for what, count in ((shape - first) + (first - shape)).items():
                verdict.expect(False, "stories", f"child {child} and {story[0]} differ by {count} of {what}")
            _takes_each_step_once(evidence, child, verdict)
        verdict.looked_at["children"] += len(story)


def _shape(evidence: Evidence, child: str) -> Shape:
    """(service, kind, versions) → how many records; of the case, the state that it ended in."""
    return Counter(
        (
            service,
            head["kind"],
            _ended(evidence, head) if (service, head["kind"]) == ("referrals", FOLLOWS) else head["version"],
        )
        for service in OWNERS
        for head in evidence.rows(service, "record")
        if str(head["child_id"]) == child
    )


def _ended(evidence: Evidence, head: dict[str, Any]) -> str:
    """The state of a case, at its newest version; "" where that is missing."""
    newest = _newest(evidence, head)
    return "" if newest is None else CaseState.Name(newest.state)


def _newest(evidence: Evidence, head: dict[str, Any]) -> Case | None:
    """A case as it is now."""
    newest = (head["record_id"], head["version"])
    for row in evidence.rows("referrals", "record_version"):
        if (row["record_id"], row["version"]) == newest:
            return Case.FromString(row["content"])
    return None


def _takes_each_step_once(evidence: Evidence, child: str, verdict: Verdict) -> None:
    """A step done twice would stand there again, or lead from a state to itself; and each version is one step."""
    for head in evidence.rows("referrals", "record"):
        case = _newest(evidence, head) if (head["kind"], str(head["child_id"])) == (FOLLOWS, child) else None
        if case is None:
            continue
        steps = [(getattr(step, "from"), step.to) for step in case.steps]
        once = len(set(steps)) == len(steps) == head["version"] and all(before != to for before, to in steps)
        words = f"the case of child {child} took a step twice: {head['version']} versions, {steps}"
        verdict.expect(once, "stories", words)
