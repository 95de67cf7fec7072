"""The preparation checklist of Appendix 2: each line a dated yes or no with its person (checklist 100 to 114)."""

from datetime import date

from ecm.api.referrals.v1.referrals_records_pb2 import Case, ChecklistAnswer
from ecm.referrals.model.case import check_open
from ecm.referrals.model.dates import of_date
from ecm.referrals.model.refusals import invalid

FIRST, LAST = 100, 114


def answer(case: Case, item: int, done: bool, on: date, by: str) -> Case:
    """The case with the line answered; a line has one answer, the newest. INVALID_VALUE for a line that isn't there."""
    check_open(case)
    if not FIRST <= item <= LAST:
        raise invalid("item", f"the checklist's lines are {FIRST} to {LAST}.")
    lines = {line.item: line for line in case.checklist}
    lines[item] = ChecklistAnswer(item=item, done=done, on=of_date(on), by=by)
    fresh = Case()
    fresh.CopyFrom(case)
    fresh.ClearField("checklist")
    fresh.checklist.extend(lines[number] for number in sorted(lines))
    return fresh
