"""The checker itself: each rule finds its breach, and nothing where all is well."""

from collections.abc import Sequence
from typing import Any

from barrier.checker import Breach, Handed, check
from barrier.marks import Disclosed, Ledger, Mark, Told
from barrier.opened import Opened, Served
from barrier.record import Closed, Record, Seen, Stood

CHILD, AGENCY = "child-1", "nhs-psychology"
FULL = Served("Observation", "o", "v-full", 3, CHILD, "record-1", frozenset({"health"}), None)
CUT = Served("Observation", "o", "v-cut", 2, CHILD, "record-1", frozenset({"health"}), None)
SERVED = {(one.type, one.id, one.version): one for one in (FULL, CUT)}
LINES = [{"line_id": "line-1", "recipient": AGENCY}]


def grant(view: int = 3, **more: Any) -> dict[str, Any]:
    row = {"recipient": AGENCY, "patient": False, "category": "health", "record_id": None, "view": view}
    return row | {"line_id": "line-1"} | more


def mark(version: int, rows: Sequence[dict[str, Any]], n: int, *, child: str = CHILD, outbox: int = 0) -> Mark:
    lines = list(rows) if not child else []
    return Mark(child, version, list(rows) if child else [], frozenset(), lines, {"writer": n}, outbox)


def disclosed(n: int, version: int, what: Served = FULL) -> Disclosed:
    return Disclosed("writer", n, AGENCY, "read", CHILD, version, ((what.type, what.id, what.version),))


def ledger(marks: Sequence[Mark], *entries: Disclosed, told: Sequence[Told] = ()) -> Ledger:
    return Ledger([mark(1, LINES, 0, child=""), *marks], SERVED, list(entries), list(told))


OPEN_THEN_SHUT = (mark(1, [grant()], 0, outbox=0), mark(2, [], 10, outbox=5))


def rules(breaches: Sequence[Breach]) -> set[str]:
    return {breach.rule for breach in breaches}


def seen(sent: float, received: float, what: Served = FULL) -> Seen:
    return Seen("read", AGENCY, "exchange", sent, received, 200, ((what.type, what.id, what.version),))


def withdrawn(until: float = 20.0, opened: Opened | None = None) -> Record:
    closed = Closed("withdrawal", AGENCY, CHILD, 10.0, opened or Opened(AGENCY), until=until)
    return Record(closed=[closed])


def judged(record: Record, *answers: Seen) -> set[str]:
    record.seen = list(answers)
    return rules(check(record, ledger([]), []))


def test_a_request_sent_after_enforced_may_show_nothing() -> None:
    assert judged(withdrawn(), seen(10.1, 11.0)) == {"answered after ENFORCED"}


def test_one_sent_before_or_answered_after_the_next_widening_may() -> None:
    assert judged(withdrawn(), seen(9.9, 11.0), seen(19.0, 20.5)) == set()


def test_the_view_that_stays_open_may_be_shown_and_the_full_one_not() -> None:
    left = Opened(AGENCY, categories={"health": 2})
    assert judged(withdrawn(opened=left), seen(11.0, 12.0, CUT)) == set()
    assert judged(withdrawn(opened=left), seen(11.0, 12.0, FULL)) == {"answered after ENFORCED"}


def test_a_whole_agency_may_be_shown_nothing_of_any_child() -> None:
    record = Record(closed=[Closed("agreement", AGENCY, "", 10.0, Opened(AGENCY), until=20.0)])
    assert judged(record, seen(11.0, 12.0)) == {"answered after ENFORCED"}


def test_a_row_at_the_narrowings_version_may_disclose_nothing() -> None:
    assert rules(check(Record(), ledger(OPEN_THEN_SHUT, disclosed(5, 1)), [])) == set()
    assert rules(check(Record(), ledger(OPEN_THEN_SHUT, disclosed(5, 2)), [])) == {
        "audited at a version that doesn't open it"
    }


def test_a_row_committed_after_e_may_disclose_nothing_whatever_version_it_read() -> None:
    assert rules(check(Record(), ledger(OPEN_THEN_SHUT, disclosed(11, 1)), [])) == {"committed after E"}


def test_a_row_committed_after_its_line_was_ended_may_disclose_nothing() -> None:
    marks = [mark(1, [grant()], 0), mark(2, [], 10, child="")]
    assert rules(check(Record(), ledger(marks, disclosed(9, 1)), [])) == set()
    assert rules(check(Record(), ledger(marks, disclosed(11, 1)), [])) == {"committed after E"}


def test_nothing_is_called_available_after_e() -> None:
    before, after = Told(4, AGENCY, "Observation", "o"), Told(6, AGENCY, "Observation", "o")
    assert rules(check(Record(), ledger(OPEN_THEN_SHUT, told=[before]), [])) == set()
    assert rules(check(Record(), ledger(OPEN_THEN_SHUT, told=[after]), [])) == {"numbered after E"}


def test_a_byte_is_handed_over_within_two_seconds_unless_the_process_stood_still() -> None:
    late = Handed("exchange", 10.0, 12.5)
    assert rules(check(Record(), ledger([]), [Handed("exchange", 10.0, 11.9)])) == set()
    assert rules(check(Record(), ledger([]), [late])) == {"handed too late"}
    assert rules(check(Record(stood=[Stood("exchange", 10.5, 11.5)]), ledger([]), [late])) == set()
    assert rules(check(Record(stood=[Stood("exchange-2", 10.5, 11.5)]), ledger([]), [late])) == {"handed too late"}
