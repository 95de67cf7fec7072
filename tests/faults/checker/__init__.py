"""The checker: pure functions from the evidence to findings. It knows the design's rules, not the services' code."""

from collections import Counter

from faults.checker import audit, effects, events, order, partners, projections
from faults.checker.verdict import Check, Finding, Verdict
from faults.evidence import Evidence

CHECKS: tuple[Check, ...] = (
    events.every_row_is_published,
    events.every_consumer_has_every_event,
    events.nothing_waits_or_was_given_up,
    effects.every_version_has_its_event,
    effects.every_answer_has_its_effect,
    effects.stories_end_alike,
    order.versions_of_a_record,
    order.commands_of_a_child,
    partners.numbers_are_gapless,
    partners.every_numbered_event_is_sent,
    partners.told_is_what_was_said,
    audit.writers_are_gapless,
    audit.the_chain_holds,
    audit.every_answer_is_there,
    projections.resources_are_their_owners,
    projections.grants_are_consents,
)


def check(evidence: Evidence) -> tuple[Counter[str], list[Finding]]:
    """How many of what was looked at, and everything that isn't as it must be."""
    verdict = Verdict()
    for one in CHECKS:
        one(evidence, verdict)
    return verdict.looked_at, verdict.findings
