"""The checker bites: each kind of damage, done to a copy of what a run left, is found, and by its own rule."""

import copy
import random
from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import pytest

from ecm.api.referrals.v1.referrals_records_pb2 import Case
from faults.checker import check
from faults.checker.changes import change, firsts
from faults.checker.verdict import Finding
from faults.conftest import Outcome
from faults.evidence import Evidence, Message, Row

pytestmark = pytest.mark.journey
Damage = Callable[[Evidence], None]


def lose_an_inbox_row(evidence: Evidence) -> None:
    evidence.rows("monitoring", "inbox").pop(3)


def lose_an_event(evidence: Evidence) -> None:
    topic = evidence.topic("referrals")
    lost = topic[5].headers["ce_id"]
    topic[:] = [message for message in topic if message.headers["ce_id"] != lost]


def leave_an_event_unpublished(evidence: Evidence) -> None:
    evidence.rows("formulation", "outbox")[0]["published_at"] = None


def alter_an_event(evidence: Evidence) -> None:
    topic = evidence.topic("consent")
    topic[0] = moved(topic[0], value=topic[1].value)


def bury_an_event(evidence: Evidence) -> None:
    found = evidence.topic("referrals")[0]
    evidence.topics[f"{found.topic}.exchange.dlq"].append(found)


def repeat_an_effect(evidence: Evidence) -> None:
    """A command whose repetition made a second record, with an event of its own."""
    head = next(row for row in evidence.rows("formulation", "record") if str(row["child_id"]) == evidence.stories[0][1])
    versions = [row for row in evidence.rows("formulation", "record_version") if row["record_id"] == head["record_id"]]
    twin = uuid4()
    evidence.rows("formulation", "record").append(head | {"record_id": twin, "version": 1})
    evidence.rows("formulation", "record_version").append(versions[0] | {"record_id": twin})


def take_a_step_twice(evidence: Evidence) -> None:
    """A case moved again by what had moved it before."""
    head = next(
        row
        for row in evidence.rows("referrals", "record")
        if (row["kind"], str(row["child_id"])) == ("CASE", evidence.stories[0][1])
    )
    rows = evidence.rows("referrals", "record_version")
    newest = next(row for row in rows if (row["record_id"], row["version"]) == (head["record_id"], head["version"]))
    case = Case.FromString(newest["content"])
    case.steps.append(case.steps[-1])
    head["version"] += 1
    rows.append(newest | {"version": head["version"], "content": case.SerializeToString()})


def forget_an_answered_command(evidence: Evidence) -> None:
    command = next(one for one in evidence.commands if one.service == "referrals")
    rows = evidence.rows("referrals", "record_version")
    rows[:] = [row for row in rows if (str(row["record_id"]), row["version"]) != (command.record_id, command.version)]


def reorder_versions(evidence: Evidence) -> None:
    """Two versions of one record change places."""
    topic = without_repetitions(evidence)
    told: dict[str, int] = {}
    for number, message in enumerate(topic):
        record_id = change("referrals", message.value).record_id
        if record_id in told:
            swap(topic, told[record_id], number)
            return
        told[record_id] = number
    raise AssertionError("no record has two versions")


def reorder_commands(evidence: Evidence) -> None:
    """Two records of one child, made one after the other, change places."""
    child = evidence.stories[0][1]
    topic = without_repetitions(evidence)
    places = [number for number, message in enumerate(topic) if message.key == child]
    records = [change("referrals", topic[number].value).record_id for number in places]
    assert records[0] != records[1]
    swap(topic, places[0], places[1])


def skip_a_number(evidence: Evidence) -> None:
    row = next(row for row in evidence.rows("exchange", "partner_outbox") if row["sequence"] == 2)
    evidence.rows("exchange", "partner_outbox").remove(row)


def number_twice(evidence: Evidence) -> None:
    row = next(row for row in evidence.rows("exchange", "partner_outbox") if row["sequence"] == 2)
    row["sequence"] = 1


def keep_a_numbered_event(evidence: Evidence) -> None:
    for topic in evidence.partner_topics().values():
        if topic:
            topic.pop()
            return
    raise AssertionError("no topic has an event")


def believe_too_much(evidence: Evidence) -> None:
    evidence.rows("exchange", "told").pop()


def lose_an_audit_row(evidence: Evidence) -> None:
    evidence.rows("exchange", "audit").pop(7)


def alter_an_audit_row(evidence: Evidence) -> None:
    evidence.rows("exchange", "audit")[7]["computed"] = bytes(32)


def cut_the_chain_short(evidence: Evidence) -> None:
    seals = evidence.rows("exchange", "audit_seal")
    seals.remove(max(seals, key=lambda row: row["seq"]))


def swap_seals(evidence: Evidence) -> None:
    by_seq = {row["seq"]: row for row in evidence.rows("exchange", "audit_seal")}
    by_seq[3]["seq"], by_seq[4]["seq"] = 4, 3


def answer_without_audit(evidence: Evidence) -> None:
    evidence.answered["nhs-psychology"] = 1 + sum(
        row["client"] == "nhs-psychology" for row in evidence.rows("exchange", "audit")
    )


def alter_a_resource(evidence: Evidence) -> None:
    row = some_resource(evidence)
    row["body"] = row["body"].replace(b'"resourceType"', b'"resourcetype"')


def leave_an_old_version(evidence: Evidence) -> None:
    record = next(row for row in evidence.rows("exchange", "projected_record") if row["projected_version"] > 1)
    record["projected_version"] -= 1


def lose_a_resource(evidence: Evidence) -> None:
    evidence.rows("exchange", "resource").remove(some_resource(evidence))


def add_a_resource(evidence: Evidence) -> None:
    evidence.rows("exchange", "resource").append(some_resource(evidence) | {"pk": -1, "id": uuid4()})


def hide_a_resource(evidence: Evidence) -> None:
    some_resource(evidence)["hidden"] = True


def widen_a_category(evidence: Evidence) -> None:
    row = some_resource(evidence)
    row["categories"] = [*row["categories"], "report"]


def lose_an_index_row(evidence: Evidence) -> None:
    evidence.rows("exchange", "search_token").pop()


def enforce_another_set(evidence: Evidence) -> None:
    evidence.rows("exchange", "grant_set")[0]["version"] += 1


def moved(message: Message, **changes: object) -> Message:
    names = ("topic", "partition", "offset", "key", "headers", "value")
    return Message(**{name: getattr(message, name) for name in names} | changes)  # type: ignore[arg-type]


def without_repetitions(evidence: Evidence) -> list[Message]:
    """The topic of `referrals` where each event stands once: what is damaged then has no second copy."""
    topic = evidence.topic("referrals")
    topic[:] = firsts(evidence, "referrals")
    return topic


def swap(topic: list[Message], one: int, other: int) -> None:
    topic[one], topic[other] = topic[other], topic[one]


def some_resource(evidence: Evidence) -> Row:
    found = [row for row in evidence.rows("exchange", "resource") if row["child_id"] is not None]
    return random.Random(len(found)).choice(found)


DAMAGES: tuple[tuple[Damage, str], ...] = (
    (lose_an_inbox_row, "consumed"),
    (lose_an_event, "published"),
    (leave_an_event_unpublished, "published"),
    (alter_an_event, "published"),
    (bury_an_event, "given up"),
    (repeat_an_effect, "stories"),
    (repeat_an_effect, "effects"),
    (take_a_step_twice, "stories"),
    (forget_an_answered_command, "answered"),
    (reorder_versions, "order"),
    (reorder_commands, "order"),
    (skip_a_number, "numbers"),
    (number_twice, "numbers"),
    (keep_a_numbered_event, "sent"),
    (believe_too_much, "told"),
    (lose_an_audit_row, "audit"),
    (lose_an_audit_row, "chain"),
    (alter_an_audit_row, "audit"),
    (cut_the_chain_short, "chain"),
    (swap_seals, "chain"),
    (answer_without_audit, "audit"),
    (alter_a_resource, "projection"),
    (leave_an_old_version, "projection"),
    (lose_a_resource, "projection"),
    (add_a_resource, "projection"),
    (hide_a_resource, "projection"),
    (widen_a_category, "projection"),
    (lose_an_index_row, "projection"),
    (enforce_another_set, "grants"),
)


@pytest.fixture(scope="module")
def whole(outcome: Outcome) -> list[Finding]:
    """What is found without damage: nothing, where all is well."""
    return check(outcome.evidence)[1]


@pytest.mark.parametrize(("damage", "rule"), DAMAGES, ids=[f"{damage.__name__}-{rule}" for damage, rule in DAMAGES])
def test_damage_is_found(outcome: Outcome, whole: list[Finding], damage: Damage, rule: str) -> None:
    hurt = copy.deepcopy(outcome.evidence)
    damage(hurt)
    _, found = check(hurt)
    of_rule = Counter(finding.rule for finding in found)
    of_rule.subtract(finding.rule for finding in whole)
    assert of_rule[rule] > 0
