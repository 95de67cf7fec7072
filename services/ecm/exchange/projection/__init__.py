"""The exchange's own copy of the owners' records, as FHIR (design §3.3)."""

from ecm.exchange.projection.project import Projection

__all__ = ["Projection"]
