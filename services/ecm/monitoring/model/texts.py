"""Bounds of what people write."""

from ecm.api.common.v1.values_pb2 import FreeText
from ecm.kit.errors import DomainError, Reason

LONGEST_TEXT = 20_000
LONGEST_LINE = 500


def check_text(value: FreeText, field: str, *, required: bool = False) -> None:
    """TOO_LARGE above 20,000 characters; MISSING_VALUE where required and blank."""
    if len(value.text) > LONGEST_TEXT:
        raise DomainError(Reason.TOO_LARGE, f"{field} has more than {LONGEST_TEXT} characters.", field=field)
    if required and not value.text.strip():
        raise DomainError(Reason.MISSING_VALUE, f"{field} is required.", field=field)


def check_line(value: str, field: str, *, required: bool = False) -> None:
    """TOO_LARGE above 500 characters; MISSING_VALUE where required and blank."""
    if len(value) > LONGEST_LINE:
        raise DomainError(Reason.TOO_LARGE, f"{field} has more than {LONGEST_LINE} characters.", field=field)
    if required and not value.strip():
        raise DomainError(Reason.MISSING_VALUE, f"{field} is required.", field=field)
