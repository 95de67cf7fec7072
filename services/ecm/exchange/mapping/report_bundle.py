"""A final report → a document Bundle: Composition, the child in `minimum`, the PDF.

https://hl7.org/fhir/R4/documents.html: whatever the Composition refers to is inside,
so that author and custodian are named by identifier alone.
"""

from ecm.api.formulation.v1.formulation_records_pb2 import Report
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.documents import authors, shows_document
from ecm.exchange.mapping.elements import encoded, instant, media_type
from ecm.exchange.mapping.ids import fhir_id
from ecm.exchange.mapping.resource import Json, Source
from ecm.exchange.mapping.views import View
from ecm.exchange.mapping.vocabulary import own

TITLE = "Formulation report"


def report_bundle(source: Source[Report], view: View) -> Json | None:
    """The document as it was when it became final; None where it isn't, or the child isn't known here yet."""
    patient, final = source.context.patient, instant(source.content.finalised_at)
    if patient is None or final is None or not shows_document(source.content.document, view):
        return None
    binary = _binary(source)
    return {
        "identifier": _identifier(source, str(source.record_id)),
        "type": "document",
        "timestamp": final,
        "entry": [_entry(one) for one in (_composition(source, patient, binary), patient, binary)],
    }


def _entry(resource: Json) -> Json:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}


def _identifier(source: Source[Report], record_id: str) -> Json:
    return {"system": f"{source.context.identifier_base}/formulation-report", "value": record_id}


def _composition(source: Source[Report], patient: Json, binary: Json) -> Json:
    report = source.content
    amends = report.amends_id
    replaced = {"code": "replaces", "targetIdentifier": _identifier(source, amends)} if amends else {}
    return {
        "resourceType": "Composition",
        "id": fhir_id(source.record_id, "Composition"),
        "status": "amended" if amends else "final",
        "type": own(codes.DOCUMENT, "formulation-report"),
        "subject": {"reference": f"urn:uuid:{patient['id']}"},
        "date": instant(report.finalised_at),
        "author": _named(source),
        "title": TITLE,
        "relatesTo": [replaced],
        "section": [{"title": TITLE, "entry": [{"reference": f"urn:uuid:{binary['id']}"}]}],
    }


def _named(source: Source[Report]) -> list[Json]:
    """Who wrote it, without references out of the document."""
    person = source.content.author
    known = [author for author in authors(source, person, source.author_agency(person)) if author]
    named = [{name: value for name, value in author.items() if name != "reference"} for author in known]
    return [author for author in named if author] or [{"display": source.recorded_agency or "Unknown"}]


def _binary(source: Source[Report]) -> Json:
    document = source.content.document
    return {
        "resourceType": "Binary",
        "id": fhir_id(source.record_id, "Binary"),
        "contentType": media_type(document),
        "data": encoded(document.content),
    }
