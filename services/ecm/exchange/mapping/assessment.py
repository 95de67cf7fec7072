"""AssetPlus assessment → DocumentReference with the document inline (checklist 45, 84)."""

from functools import partial

from ecm.api.referrals.v1.referrals_records_pb2 import Assessment
from ecm.exchange.mapping.categories import ASSETPLUS
from ecm.exchange.mapping.documents import document_reference, shows_document
from ecm.exchange.mapping.elements import date
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import View


def map_assessment(source: Source[Assessment]) -> list[MappedResource]:
    """One document that speaks of everything before the formulation: whoever reads it needs every category."""
    return [source.resource("DocumentReference", partial(_document, source), *ASSETPLUS)]


def _document(source: Source[Assessment], view: View) -> Json | None:
    assessment = source.content
    if not shows_document(assessment.document, view):
        return None
    made = date(assessment.assessed_on)
    return document_reference(source, assessment.document, "assetplus-assessment", *ASSETPLUS) | {
        "author": [source.context.yot(source.yot)],
        "context": {"period": {"start": made, "end": made}},
    }
