"""Partners' events: numbers without gaps in each (generation, key), each sent, nothing beside, the last word true."""

from collections import defaultdict

import orjson

from faults.checker.verdict import Verdict
from faults.evidence import Evidence, Message, Row

Numbered = tuple[str, str, int]
"""Generation, key, number."""


def numbers_are_gapless(evidence: Evidence, verdict: Verdict) -> None:
    """Of each client, generation and key the numbers are 1 to the last one given out, in the order of writing."""
    numbers: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in sorted(evidence.rows("exchange", "partner_outbox"), key=lambda row: row["id"]):
        numbers[row["client_id"], str(row["generation"]), row["key"]].append(row["sequence"])
    for named, given in numbers.items():
        gapless = given == list(range(1, len(given) + 1))
        verdict.expect(gapless, "numbers", f"{named} has {given}")
    last = {(client, key): given[-1] for (client, _, key), given in numbers.items()}
    for row in evidence.rows("exchange", "event_counter"):
        found = last.get((row["client_id"], row["key"]))
        verdict.expect(found == row["n"], "numbers", f"the counter of {row['client_id']} says {row['n']}, not {found}")
    verdict.looked_at["numbered events"] += sum(len(given) for given in numbers.values())


def every_numbered_event_is_sent(evidence: Evidence, verdict: Verdict) -> None:
    """Each is on its client's topic as it was numbered, in order; a repetition says the same; nothing else is there."""
    written: dict[str, dict[Numbered, Row]] = defaultdict(dict)
    for row in evidence.rows("exchange", "partner_outbox"):
        written[row["client_id"]][str(row["generation"]), row["key"], row["sequence"]] = row
        verdict.expect(row["published_at"], "sent", f"{row['client_id']}'s number {row['sequence']} still waits")
    for client, messages in evidence.partner_topics().items():
        sent: dict[Numbered, Message] = {}
        for message in messages:
            _note(client, sent, message, verdict)
        for named in written[client].keys() - sent.keys():
            verdict.expect(False, "sent", f"{client} was never sent {named}")
        for named, message in sent.items():
            row = written[client].get(named)
            as_written = row is not None and message.headers["ce_id"] == str(row["event_id"]) and _says(message, row)
            verdict.expect(as_written, "sent", f"{client}'s topic has {named} otherwise than it was numbered")


def told_is_what_was_said(evidence: Evidence, verdict: Verdict) -> None:
    """What the exchange believes a topic calls available is what the topic's last word of it is."""
    tokens = {
        (row["client_id"], row["token"]): (row["type"], row["id"]) for row in evidence.rows("exchange", "dataref")
    }
    said: dict[tuple[str, str, object], str] = {}
    for row in sorted(evidence.rows("exchange", "partner_outbox"), key=lambda row: row["id"]):
        if row["token"]:
            said[row["client_id"], *tokens[row["client_id"], row["token"]]] = row["event_type"]
    open_ = {named for named, last in said.items() if last != "unavailable"}
    believed = {(row["client_id"], row["type"], row["id"]) for row in evidence.rows("exchange", "told")}
    for named in open_ ^ believed:
        verdict.expect(False, "told", f"{named} is said on the topic otherwise than it is believed")


def _note(client: str, sent: dict[Numbered, Message], message: Message, verdict: Verdict) -> None:
    body = orjson.loads(message.value)
    named = (str(body["generation"]), message.key, int(body["sequence"]))
    before = sent.get(named)
    if before is not None:
        same = (before.headers["ce_id"], before.value) == (message.headers["ce_id"], message.value)
        verdict.expect(same, "sent", f"{client} was sent two events as {named}")
        return
    follows = named[2] == 1 or (named[0], named[1], named[2] - 1) in sent
    verdict.expect(follows, "sent", f"{client} was sent {named} before the number before it")
    sent[named] = message


def _says(message: Message, row: Row) -> bool:
    body = orjson.loads(message.value)
    kind = message.headers["ce_type"].rsplit(".", 1)[-1]
    return kind == row["event_type"] and str(body.get("dataref", "")).rsplit("/", 1)[-1] == row["token"]
