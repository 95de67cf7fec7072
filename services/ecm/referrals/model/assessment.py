"""The AssetPlus assessment as a document (checklist 45, 84)."""

from datetime import date

from ecm.api.referrals.v1.referrals_records_pb2 import Assessment
from ecm.kit import declarations
from ecm.kit.errors import DomainError, Reason
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.codes import check_language
from ecm.referrals.model.dates import past_date
from ecm.referrals.model.refusals import invalid, missing, required_text

LARGEST = 10 * 1024 * 1024
MEDIA_TYPES = frozenset({"application/pdf", "image/png", "image/jpeg", "text/plain"})


def check_assessment(assessment: Assessment, today: date) -> None:
    """INVALID_VALUE, MISSING_VALUE or TOO_LARGE for what can't be an assessment's document.

    An absent declaration stays absent: undeclared counts as holding every protected kind.
    """
    check_bounds(assessment, "assessment")
    document = assessment.document
    if not document.content:
        raise missing("assessment.document.content")
    if len(document.content) > LARGEST:
        field = "assessment.document.content"
        raise DomainError(Reason.TOO_LARGE, f"{field}: at most 10 MiB.", field=field)
    if document.content_type not in MEDIA_TYPES:
        raise invalid("assessment.document.content_type", f"must be one of {', '.join(sorted(MEDIA_TYPES))}.")
    required_text(document.title, "assessment.document.title")
    check_language(document.language, "assessment.document.language")
    if not assessment.HasField("assessed_on"):
        raise missing("assessment.assessed_on")
    past_date(assessment.assessed_on, "assessment.assessed_on", today)


def is_stricter(old: Assessment, new: Assessment) -> bool:
    """Whether the new one counts as holding a protected kind that the old one didn't: relabelling."""
    return declarations.is_stricter(old.document, new.document)
