"""DocumentReference → contribution; draft, final report, amendment. https://hl7.org/fhir/R4/documentreference.html"""

from typing import Final

from ecm.api.common.v1.values_pb2 import Category
from ecm.api.formulation.v1 import formulation_service_pb2 as commands
from ecm.exchange.intake.authors import check_named
from ecm.exchange.intake.context import Found, Writer
from ecm.exchange.intake.documents import document
from ecm.exchange.intake.elements import Element, invariant, missing
from ecm.exchange.intake.references import Named, named, named_in
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.elements import enum_code

REPORT: Final = "formulation-report"
_LONGEST_REASON = 2_000
_CATEGORIES: Final = {enum_code(Category, value): value for value in Category.values() if value}
# What is kept of a DocumentReference; here and in the profiles `ecm-contribution` and `ecm-formulation-report`.
_COMMON = ("status", "docStatus", "type", "category", "subject", "date", "author", "custodian", "content", "context")
DOCUMENT_ELEMENTS = (*_COMMON, "extension")
AMENDMENT_ELEMENTS = (*DOCUMENT_ELEMENTS, "relatesTo", "description")


def is_report(root: Element) -> bool:
    """Whether it says that it is a formulation report; what doesn't is a contribution."""
    kind = root.child("type")
    return kind is not None and REPORT in kind.codes(codes.DOCUMENT)


def doc_status(root: Element) -> str:
    """`docStatus`, or ""."""
    return root.text("docStatus")


def document_references(root: Element) -> list[Named]:
    """Subject, meeting, what is replaced: those that are named."""
    found = [named(root, "subject", "Patient")] if root.has("subject") else []
    relations = root.each("relatesTo", most=1)
    replaced = [named(relation, "target", "DocumentReference") for relation in relations]
    return [*found, *replaced, *_meetings(root)]


def contribution_command(root: Element, writer: Writer, found: Found) -> commands.ContributeInformationRequest:
    """Written information for the meeting in `context.related` (checklist 131)."""
    root.allow(*DOCUMENT_ELEMENTS, resource=True)
    _check_common(root, writer)
    root.code("docStatus", {"final"}, required=False)
    return commands.ContributeInformationRequest(
        meeting_id=_meeting(root, found, required=True), document=document(root), categories=_categories(root)
    )


def draft_command(root: Element, writer: Writer, found: Found) -> commands.DraftReportRequest:
    """The report's first draft, or a draft anew (168)."""
    _check_report(root, writer)
    return commands.DraftReportRequest(
        meeting_id=_meeting(root, found, required=found.updated is None),
        draft_id=str(found.updated.record_id) if found.updated else "",
        expected_version=found.expected_version,
        document=document(root),
    )


def final_command(root: Element, writer: Writer, found: Found) -> commands.FinaliseReportRequest:
    """The checked draft, final (91)."""
    _check_report(root, writer)
    assert found.updated is not None
    return commands.FinaliseReportRequest(
        draft_id=str(found.updated.record_id), expected_version=found.expected_version, document=document(root)
    )


def amend_command(root: Element, writer: Writer, found: Found) -> commands.AmendReportRequest:
    """An amendment of the report in the URL, or of the one that `relatesTo` replaces (173, 174)."""
    _check_report(root, writer, AMENDMENT_ELEMENTS)
    amended = found.updated or found(_replaced(root))
    return commands.AmendReportRequest(
        report_id=str(amended.record_id),
        expected_version=found.expected_version or amended.record_version,
        document=document(root),
        reason=root.text("description", required=True, most=_LONGEST_REASON),
    )


def _check_report(root: Element, writer: Writer, kept: tuple[str, ...] = DOCUMENT_ELEMENTS) -> None:
    root.allow(*kept, resource=True)
    _check_common(root, writer)


def _check_common(root: Element, writer: Writer) -> None:
    root.code("status", {"current"})
    check_named(root, "author", writer)


def _replaced(root: Element) -> Named:
    relations = root.each("relatesTo", least=1, most=1)
    relations[0].code("code", {"replaces"})
    return named(relations[0], "target", "DocumentReference")


def _meetings(root: Element) -> list[Named]:
    context = root.child("context")
    if context is None:
        return []
    context.allow("encounter", "related")
    return [*named_in(context, "encounter", "Encounter"), *named_in(context, "related", "Appointment")]


def _meeting(root: Element, found: Found, *, required: bool) -> str:
    """The meeting's record; both ways to name it name the same."""
    records = {str(found(reference).record_id): reference.path for reference in _meetings(root)}
    if len(records) > 1:
        raise invariant("Encounter and Appointment are of two meetings.", root.at("context"))
    if required and not records:
        raise missing(root.at("context"))
    return next(iter(records), "")


def _categories(root: Element) -> list["Category.ValueType"]:
    """What its author says it is about, so that others may see it by that category too."""
    found = []
    for category in root.each("category", most=len(_CATEGORIES)):
        said = [code for code in category.codes(codes.CATEGORY) if code in _CATEGORIES]
        if len(said) != 1:
            raise invariant(f"It is one of {codes.CATEGORY}: {', '.join(_CATEGORIES)}.", category.path)
        found.append(_CATEGORIES[said[0]])
    return found
