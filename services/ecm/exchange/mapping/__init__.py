"""Protobuf records → FHIR R4 resources: pure functions, a file per group of kinds."""

from ecm.exchange.mapping.records import MAPPERS, UNMAPPED, UnmappableError, map_record
from ecm.exchange.mapping.resource import MappedResource, MappingContext
from ecm.exchange.mapping.views import View

__all__ = ["MAPPERS", "UNMAPPED", "MappedResource", "MappingContext", "UnmappableError", "View", "map_record"]
