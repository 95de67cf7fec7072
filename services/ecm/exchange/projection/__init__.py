"""The exchange's own copy of the owners' records, as FHIR."""

from ecm.exchange.projection.project import Projection

__all__ = ["Projection"]
