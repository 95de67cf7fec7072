"""The partner's system that asks."""

from dataclasses import dataclass
from functools import lru_cache

from ecm.kit.scopes import allows


@dataclass(frozen=True, slots=True)
class PartnerCaller:
    """One client of one agency, as its token and the region file say; `agency` is "" where the region hasn't it."""

    client: str
    agency: str
    # From the token.
    scopes: frozenset[str]
    # From the region file: a token can't hold more than this.
    allowed: frozenset[str]
    # An end user named in a header: asserted only.
    user: str | None = None

    def may(self, resource_type: str, permission: str) -> bool:
        """Whether the scopes cover a letter of `cruds` on that type."""
        return _allows(self.scopes, resource_type, permission) and _allows(self.allowed, resource_type, permission)


@lru_cache(maxsize=4_096)
def _allows(scopes: frozenset[str], resource_type: str, permission: str) -> bool:
    return allows(scopes, resource_type, permission)
