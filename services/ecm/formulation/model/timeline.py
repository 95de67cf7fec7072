"""The timeline's entries (checklist 147 to 156)."""

from datetime import date

from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.formulation.model.periods import check_period
from ecm.formulation.model.values import check_free_text, check_member, check_text, invalid
from ecm.kit import declarations
from ecm.kit.region import Region

FEW_WORDS = 500
"""Characters of an entry: it is written into a box."""


def check_entry(entry: records.TimelineEntry, region: Region, today: date) -> None:
    """What, when, how sure and who told it (153, 154, 159). INVALID_VALUE, MISSING_VALUE, TOO_LARGE."""
    check_member(entry.kind, records.TimelineKind, "entry.kind")
    check_period(entry.period, today, "entry.period")
    check_free_text(entry.text, "entry.text", most=FEW_WORDS)
    check_member(entry.certainty, records.Certainty, "entry.certainty")
    check_text(entry.contributed_by_role, "entry.contributed_by_role", required=False)
    if entry.contributed_by_agency and region.agency(entry.contributed_by_agency) is None:
        raise invalid("The region has no such agency.", "entry.contributed_by_agency")
    check_text(entry.contributed_by_agency, "entry.contributed_by_agency")


def is_stricter(old: records.TimelineEntry, new: records.TimelineEntry) -> bool:
    """Whether somebody who sees the old entry may not see the new one: relabelling, a narrowing.

    Of another kind is of another category as far as is known here, and who sees one
    category needn't see the other.
    """
    return _label(old) != _label(new) or declarations.is_stricter(old.text, new.text)


def _label(entry: records.TimelineEntry) -> int | None:
    """What its category goes by: what speaks of a relative's troubles is one category, whatever its kind."""
    return None if entry.family_sensitive else entry.kind
