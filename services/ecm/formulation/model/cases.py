"""What `formulation` knows of a case, which `referrals` owns."""

from dataclasses import dataclass
from uuid import UUID

from ecm.api.referrals.v1.referrals_records_pb2 import (
    CASE_STATE_ACCEPTED,
    CASE_STATE_CLOSED,
    CASE_STATE_CONSENT_WITHDRAWN,
    CASE_STATE_NOT_CARRIED_FORWARD,
    CASE_STATE_PSYCHOLOGY_WITHDRAWN,
)
from ecm.formulation.model.values import illegal
from ecm.kit.errors import DomainError, Reason

_ENDED = frozenset({CASE_STATE_CLOSED, CASE_STATE_NOT_CARRIED_FORWARD})


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case at one version of its record. `state` is a `CaseState` of `referrals`."""

    case_id: UUID
    child_id: UUID
    yot: str
    state: int
    erased: bool
    version: int

    @property
    def ended(self) -> bool:
        """Closed, not carried forward, or taken off the record."""
        return self.erased or self.state in _ENDED

    @property
    def accepted(self) -> bool:
        """Accepted (86), or any later step before the end."""
        return not self.erased and CASE_STATE_ACCEPTED <= self.state <= CASE_STATE_PSYCHOLOGY_WITHDRAWN


def check_open(case: KnownCase) -> None:
    """ILLEGAL_TRANSITION where the case has ended."""
    if case.ended:
        raise illegal("The case is closed; reopen it first.")


def check_accepted(case: KnownCase) -> None:
    """A meeting gets a date once the case is accepted (88). ILLEGAL_TRANSITION, CONSENT_REQUIRED."""
    check_open(case)
    if case.state == CASE_STATE_CONSENT_WITHDRAWN:
        raise DomainError(Reason.CONSENT_REQUIRED, "Consent was refused or withdrawn.")
    if not case.accepted:
        raise illegal("The case isn't accepted yet.")
