"""Contribution → DocumentReference and Provenance (checklist 131, 140)."""

from functools import partial

from ecm.api.formulation.v1.formulation_records_pb2 import Contribution
from ecm.exchange.mapping.categories import of_contribution
from ecm.exchange.mapping.documents import about_meeting, authors, document_reference, provenance, shows_document
from ecm.exchange.mapping.elements import instant
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import View


def map_contribution(source: Source[Contribution]) -> list[MappedResource]:
    """What an agency sent to the meeting, and who wrote it."""
    told = source.content
    kind = source.context.agency_kinds.get(told.agency, "other")
    categories = of_contribution(kind, told.categories)
    document = source.resource("DocumentReference", partial(_document, source, categories), *categories)
    received = instant(told.received_at)
    return [document, *provenance(source, document, told.author, told.agency, recorded=received)]


def _document(source: Source[Contribution], categories: tuple[str, ...], view: View) -> Json | None:
    told = source.content
    if not shows_document(told.document, view):
        return None
    return document_reference(source, told.document, "contribution", *categories) | {
        "author": authors(source, told.author, told.agency),
        "date": instant(told.received_at),
        "context": about_meeting(told.meeting_id),
    }
