"""The exchange's own tables. Their DDL stands in `migrations/`; a test holds both equal.

Instants are UTC; `infinity` stands for "no end". `view` is a rank: 1 minimum, 2 unprotected, 3 full.
"""

from ecm.exchange.tables import audit, projection, resources, sets, topics
from ecm.exchange.tables.base import metadata

__all__ = ["APPEND_ONLY", "audit", "metadata", "projection", "resources", "sets", "topics"]

APPEND_ONLY = ("resource_version", "audit", "audit_seal", "audit_checkpoint")
"""Tables on which the app role has INSERT and SELECT alone."""
