"""TimelineEntry → Observation; Timeline and Genogram, as drawn → DocumentReference (checklist 135 to 156).

https://hl7.org/fhir/R4/observation.html
"""

from functools import partial

from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1.formulation_records_pb2 import Certainty, Genogram, Timeline, TimelineEntry, TimelineKind
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.categories import FORMULATION, of_timeline
from ecm.exchange.mapping.documents import document_reference, shows_document
from ecm.exchange.mapping.elements import effective, enum_concept, extension
from ecm.exchange.mapping.resource import Json, M, MappedResource, Source
from ecm.exchange.mapping.views import View, shows_text
from ecm.exchange.mapping.vocabulary import own


def map_timeline_entry(source: Source[TimelineEntry]) -> list[MappedResource]:
    """One event of the child's life; its category is its kind's."""
    entry = source.content
    category = of_timeline(entry.kind, entry.family_sensitive)
    return [source.resource("Observation", partial(_entry, source), category, profile=codes.UKCORE_OBSERVATION)]


def _entry(source: Source[TimelineEntry], view: View) -> Json:
    """What was told stands as text; the date as precise as it is known, and as it was written."""
    entry = source.content
    kind = enum_concept(codes.TIMELINE_KIND, TimelineKind, entry.kind)
    shown = shows_text(entry.text, view)
    written = entry.period.as_written if shown or view is View.FULL else ""
    return {
        "extension": [
            extension(codes.AS_WRITTEN, valueString=written),
            extension(codes.SUSPECTED, valueCodeableConcept=enum_concept(codes.CERTAINTY, Certainty, entry.certainty)),
        ],
        "status": "final",
        "category": [own(codes.OBSERVATION, "timeline-entry")],
        "code": kind or own(codes.TIMELINE_KIND, "other"),
        "subject": source.subject,
        **effective(entry.period),
        "performer": [_told_by(source, view)],
        "valueString": entry.text.text if shown else None,
    }


def _told_by(source: Source[TimelineEntry], view: View) -> Json | None:
    """The agency that told it, and in full by which role (154)."""
    entry = source.content
    known = source.context.organization(entry.contributed_by_agency)
    if known is None or "reference" not in known:
        # An agency outside of the region is a free text: a school's name, perhaps.
        return known if view is View.FULL else None
    return known | ({"display": entry.contributed_by_role} if view is View.FULL else {})


def map_timeline(source: Source[Timeline]) -> list[MappedResource]:
    """The whole timeline as drawn for the report (155, 156)."""
    return _drawing(source, source.content.drawing, "timeline")


def map_genogram(source: Source[Genogram]) -> list[MappedResource]:
    """The family tree as drawn, with what stands beside it as far as the view allows (111)."""
    found = _drawing(source, source.content.drawing, "genogram")
    notes = source.resource(
        "Observation", partial(_key_information, source), FORMULATION, profile=codes.UKCORE_OBSERVATION
    )
    return [*found, notes] if notes.renditions else found


def _drawing(source: Source[M], document: Document, kind: str) -> list[MappedResource]:
    return [source.resource("DocumentReference", partial(_reference, source, document, kind), FORMULATION)]


def _reference(source: Source[M], document: Document, kind: str, view: View) -> Json | None:
    if not shows_document(document, view):
        return None
    return document_reference(source, document, kind, FORMULATION) | {"author": [source.context.yot(source.yot)]}


def _key_information(source: Source[Genogram], view: View) -> Json | None:
    shown = [text.text for text in source.content.key_information if shows_text(text, view)]
    if not shown:
        return None
    return {
        "status": "final",
        "code": own(codes.OBSERVATION, "genogram-key-information"),
        "subject": source.subject,
        "note": [{"text": text} for text in shown],
    }
