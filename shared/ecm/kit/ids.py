"""Identifiers, injected, so that tests can know them beforehand."""

import secrets
from typing import Protocol
from uuid import UUID, uuid4

from ecm.kit.errors import DomainError, Reason


class Ids(Protocol):
    """Where new identifiers come from."""

    def uuid(self) -> UUID:
        """A new random UUIDv4: ids say nothing about order, time or place."""
        ...

    def token(self) -> str:
        """A new secret of 256 bits: 43 URL-safe characters."""
        ...


class RandomIds:
    """Identifiers from the operating system's random source."""

    def uuid(self) -> UUID:
        return uuid4()

    def token(self) -> str:
        return secrets.token_urlsafe(32)


def parse_uuid(text: str, field: str) -> UUID:
    """The UUID that `text` writes; INVALID_ARGUMENT naming `field` where it writes none."""
    try:
        return UUID(text)
    except ValueError:
        raise DomainError(Reason.INVALID_VALUE, f"{field} isn't a UUID.", field=field) from None
