"""The implementation guide: every own definition, from the tables that mappings, intake and search work by."""

from ecm.exchange.ig.guide import definitions, file_name
from ecm.exchange.ig.openapi import openapi

__all__ = ["definitions", "file_name", "openapi"]
