"""Which version of the region's criteria applies (checklist 24)."""

from collections.abc import Iterable
from datetime import date

from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Criteria


def in_force(criteria: Iterable[Criteria], today: date) -> Criteria:
    """The newest set whose day has come; CRITERIA_NOT_MET where the region has none yet."""
    begun = [entry for entry in criteria if entry.effective_from <= today]
    if not begun:
        raise DomainError(Reason.CRITERIA_NOT_MET, "The region has no criteria in force yet; see its region file.")
    return max(begun, key=lambda entry: (entry.effective_from, entry.version))
