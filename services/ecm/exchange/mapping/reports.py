"""Report drafts and reports → DocumentReference; a final report also → Binary and Bundle (checklist 168 to 175).

https://hl7.org/fhir/R4/documentreference.html, …/binary.html
"""

from functools import partial

from ecm.api.formulation.v1.formulation_records_pb2 import Report, ReportDraft, ReportDraftState
from ecm.exchange.mapping import ids
from ecm.exchange.mapping.categories import REPORT
from ecm.exchange.mapping.documents import about_meeting, authors, document_reference, provenance, shows_document
from ecm.exchange.mapping.elements import encoded, instant, media_type
from ecm.exchange.mapping.report_bundle import report_bundle
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import View

_KIND = "formulation-report"


def map_report_draft(source: Source[ReportDraft]) -> list[MappedResource]:
    """The report while it is drafted and checked, inline."""
    draft = source.content
    document = source.resource("DocumentReference", partial(_draft, source), REPORT)
    return [document, *provenance(source, document, draft.author, source.author_agency(draft.author))]


def _draft(source: Source[ReportDraft], view: View) -> Json | None:
    draft = source.content
    if not shows_document(draft.document, view):
        return None
    over = draft.state == ReportDraftState.REPORT_DRAFT_STATE_FINALISED
    return document_reference(source, draft.document, _KIND, REPORT) | {
        "status": "superseded" if over else "current",
        "docStatus": "preliminary",
        "context": about_meeting(draft.meeting_id),
        "author": authors(source, draft.author, source.author_agency(draft.author)),
    }


def map_report(source: Source[Report]) -> list[MappedResource]:
    """A final report, or an amendment: a record of its own, which replaces what it amends (173)."""
    report = source.content
    document = source.resource("DocumentReference", partial(_report, source), REPORT)
    binary = source.resource("Binary", partial(_binary, source), REPORT)
    final = instant(report.finalised_at)
    bundle = source.resource("Bundle", partial(report_bundle, source), REPORT)
    return [
        document,
        binary,
        bundle,
        *provenance(source, document, report.author, source.author_agency(report.author), recorded=final),
    ]


def _report(source: Source[Report], view: View) -> Json | None:
    report = source.content
    if not shows_document(report.document, view):
        return None
    amends = report.amends_id
    url = source.own("Binary")["reference"]
    return document_reference(source, report.document, _KIND, REPORT, url=url) | {
        "status": "superseded" if report.amended_by_id else "current",
        "docStatus": "amended" if amends else "final",
        "date": instant(report.finalised_at),
        "context": about_meeting(report.meeting_id),
        "author": authors(source, report.author, source.author_agency(report.author)),
        "relatesTo": [{"code": "replaces", "target": ids.reference(amends, "DocumentReference")}] if amends else [],
    }


def _binary(source: Source[Report], view: View) -> Json | None:
    document = source.content.document
    if not shows_document(document, view):
        return None
    return {
        "contentType": media_type(document),
        "securityContext": source.own("DocumentReference"),
        "data": encoded(document.content),
    }
