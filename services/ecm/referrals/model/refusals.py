"""Refusals of input: each names its field, says what is wrong, and never repeats the value."""

from ecm.kit.errors import DomainError, Reason


def invalid(field: str, message: str) -> DomainError:
    """INVALID_VALUE at `field`."""
    return DomainError(Reason.INVALID_VALUE, f"{field}: {message}", field=field)


def missing(field: str, message: str = "is required.") -> DomainError:
    """MISSING_VALUE at `field`."""
    return DomainError(Reason.MISSING_VALUE, f"{field}: {message}", field=field)


def required_text(value: str, field: str) -> str:
    """`value` without outer blanks; MISSING_VALUE where nothing is left."""
    text = value.strip()
    if not text:
        raise missing(field)
    return text
