"""No event is lost: from the outbox to the topic, from the topic to each consumer."""

from ecm.admin.names import CONSUMES
from faults.checker.verdict import Verdict
from faults.concerns import concerns
from faults.evidence import OWNERS, Evidence

GROUPS = {"exchange": "ecm-exchange.projection"}


def every_row_is_published(evidence: Evidence, verdict: Verdict) -> None:
    """Each outbox row is in its service's topic, under its key, as it was written; and nothing else is."""
    for service in OWNERS:
        stood = {message.headers["ce_id"]: message for message in evidence.topic(service)}
        rows = evidence.rows(service, "outbox")
        for row in rows:
            sent = stood.get(str(row["event_id"]))
            as_written = sent is not None and (sent.key, sent.value) == (row["key"], row["value"])
            verdict.expect(as_written, "published", f"{service}'s event {row['event_id']} isn't in its topic")
            verdict.expect(row["published_at"], "published", f"{service}'s event {row['event_id']} still waits")
        known = {str(row["event_id"]) for row in rows}
        for strange in stood.keys() - known:
            verdict.expect(False, "published", f"{service}'s topic has {strange}, which nobody wrote")
        verdict.looked_at["events"] += len(rows)


def every_consumer_has_every_event(evidence: Evidence, verdict: Verdict) -> None:
    """Each event that a service has a use for is in its inbox, in the transaction of the event's effect."""
    for consumer, sources in CONSUMES.items():
        group = GROUPS.get(consumer, f"ecm-{consumer}")
        heard = {row["event_id"] for row in evidence.rows(consumer, "inbox") if row["consumer"] == group}
        told = [(source, row) for source in sources for row in evidence.rows(source, "outbox")]
        meant = {str(row["event_id"]) for source, row in told if concerns(consumer, source, row["value"])}
        for lost in meant - heard:
            verdict.expect(False, "consumed", f"{consumer} never had the event {lost}")
        for strange in heard - {str(row["event_id"]) for _, row in told}:
            verdict.expect(False, "consumed", f"{consumer} had an event {strange} that nobody wrote")
        verdict.looked_at["receipts"] += len(meant)


def nothing_waits_or_was_given_up(evidence: Evidence, verdict: Verdict) -> None:
    """No dead letters, no narrowing half done, no child to look at, no set to compile or to acknowledge."""
    for letter in evidence.dead_letters():
        why = letter.headers.get("ecm-dead-error-class", "?"), letter.headers.get("ecm-dead-error-reason", "")
        verdict.expect(False, "given up", f"{letter.topic} has {letter.headers.get('ce_id')}: {' '.join(why)}")
    for service in OWNERS:
        for intent in evidence.rows(service, "narrowing_intent"):
            verdict.expect(intent["done_at"], "waits", f"{service}'s narrowing {intent['intent_id']} isn't done")
    for table in ("fetch_queue",):
        for row in evidence.rows("exchange", table):
            verdict.expect(False, "waits", f"exchange hasn't looked at child {row['child_id']}")
    for row in evidence.rows("consent", "recompile"):
        verdict.expect(False, "waits", f"consent hasn't compiled child {row['child_id']} anew")
    for row in evidence.rows("consent", "narrowing"):
        whole = row["journaled_at"] and row["enforced_at"]
        verdict.expect(whole, "waits", f"the narrowing {row['narrowing_id']} isn't journaled and enforced")
