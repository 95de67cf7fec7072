"""A case follows what happens in `formulation` and `consent` (checklist 88 to 92, 98, 99).

Events may come late, twice or out of order, so nothing here leads back: progress
counts where it is further than the case is, and not from before a reopening.
"""

from datetime import datetime

from ecm.api.referrals.v1.referrals_records_pb2 import CASE_STATE_CLOSED, CASE_STATE_CONSENT_WITHDRAWN, Case
from ecm.referrals.model.case import moved
from ecm.referrals.model.stamp import Stamp
from ecm.referrals.model.states import ENDED, PROGRESS, State


def follow_progress(case: Case, reached: State, happened_at: datetime | None, stamp: Stamp) -> Case:
    """The case at `reached`, one of PROGRESS; as it was where that isn't further on.

    While consent is withdrawn the case stays so, and the progress counts for the
    state that it goes back to. `happened_at`: when it happened, where that is known.
    """
    now = _before_withdrawal(case) if case.state == CASE_STATE_CONSENT_WITHDRAWN else case.state
    if now not in PROGRESS or PROGRESS.index(reached) <= PROGRESS.index(now) or _belongs_before(case, happened_at):
        return case
    if case.state == CASE_STATE_CONSENT_WITHDRAWN:
        return moved(case, CASE_STATE_CONSENT_WITHDRAWN, stamp, "followed formulation", origin=reached)
    return moved(case, reached, stamp, "followed formulation")


def follow_withdrawal(case: Case, stamp: Stamp) -> Case:
    """The case halted: consent is refused or withdrawn (99). Ended cases stay ended."""
    if case.state in ENDED or case.state == CASE_STATE_CONSENT_WITHDRAWN:
        return case
    return moved(case, CASE_STATE_CONSENT_WITHDRAWN, stamp, "followed consent")


def follow_consent(case: Case, stamp: Stamp) -> Case:
    """The case back in the state before the withdrawal, once a new consent is given."""
    if case.state != CASE_STATE_CONSENT_WITHDRAWN:
        return case
    return moved(case, _before_withdrawal(case), stamp, "followed consent")


def _before_withdrawal(case: Case) -> State:
    halts = [step for step in case.steps if step.to == CASE_STATE_CONSENT_WITHDRAWN]
    origin: State = getattr(halts[-1], "from")
    return origin


def _belongs_before(case: Case, happened_at: datetime | None) -> bool:
    """Whether it happened before the case was last reopened: what a report of the first time still goes through."""
    reopened = [step.at for step in case.steps if getattr(step, "from") == CASE_STATE_CLOSED]
    if not reopened or happened_at is None:
        return False
    return happened_at.timestamp() <= reopened[-1].ToNanoseconds() / 1e9
