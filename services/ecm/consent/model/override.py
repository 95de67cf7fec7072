"""Safeguarding overrides: outside consent's deny, short, reasoned, and looked at by a second person (checklist 127)."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.dossier import Overridden
from ecm.consent.model.words import CATEGORIES
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region

THRESHOLDS = ("significant-harm", "risk-to-others", "police-request")


def open_override(wanted: records.Override, now: datetime, region: Region) -> records.Override:
    """An override from now on, at most the region's hours long. INVALID_VALUE or MISSING_VALUE name the field."""
    if region.agency(wanted.recipient) is None:
        raise _invalid("The region has no such agency.", "override.recipient")
    if not wanted.categories or not set(wanted.categories) <= set(CATEGORIES):
        raise _invalid("Name the categories that it opens.", "override.categories")
    if wanted.threshold not in THRESHOLDS:
        raise _invalid(f"The threshold is one of: {', '.join(THRESHOLDS)}.", "override.threshold")
    if not wanted.reason.strip():
        raise _missing("override.reason")
    if not wanted.child_told and not wanted.not_told_reason.strip():
        raise _missing("override.not_told_reason")
    made = records.Override()
    made.CopyFrom(wanted)
    made.reviewed_by, made.ended = "", False
    made.opened_at.FromDatetime(now)
    return _lasting(made, wanted.ends_at, now, region)


def renew(content: records.Override, ends_at: Timestamp, now: datetime, region: Region) -> records.Override:
    """A new end, counted from now; the review is due again. ILLEGAL_TRANSITION once it has ended."""
    _standing(content, now)
    made = records.Override()
    made.CopyFrom(content)
    made.reviewed_by = ""
    return _lasting(made, ends_at, now, region)


def review(content: records.Override, by: str, openers: Collection[str]) -> records.Override:
    """Looked at by somebody who neither opened nor renewed it. SECOND_PERSON_REQUIRED."""
    if by in openers:
        raise DomainError(Reason.SECOND_PERSON_REQUIRED, "Who opened or renewed an override can't review it.")
    made = records.Override()
    made.CopyFrom(content)
    made.reviewed_by = by
    return made


def end(content: records.Override) -> records.Override:
    """Ended before its time."""
    made = records.Override()
    made.CopyFrom(content)
    made.ended = True
    return made


def summary(override_id: str, content: records.Override) -> Overridden:
    """The override as the rules need it."""
    return Overridden(
        override_id=override_id,
        recipient=content.recipient,
        categories=frozenset(content.categories),
        opened_at=content.opened_at.ToDatetime(UTC),
        ends_at=content.ends_at.ToDatetime(UTC),
        names_protected=frozenset(content.names_protected),
    )


def _lasting(made: records.Override, ends_at: Timestamp, now: datetime, region: Region) -> records.Override:
    hours = region.deadlines.override_hours
    if not now < ends_at.ToDatetime(UTC) <= now + timedelta(hours=hours):
        raise _invalid(f"An override ends within {hours} hours; it can be renewed.", "override.ends_at")
    made.ends_at.CopyFrom(ends_at)
    return made


def _standing(content: records.Override, now: datetime) -> None:
    if content.ended or content.ends_at.ToDatetime(UTC) <= now:
        raise DomainError(Reason.ILLEGAL_TRANSITION, "The override has ended; open another one.")


def _invalid(message: str, field: str) -> DomainError:
    return DomainError(Reason.INVALID_VALUE, message, field=field)


def _missing(field: str) -> DomainError:
    return DomainError(Reason.MISSING_VALUE, f"{field} is missing.", field=field)
