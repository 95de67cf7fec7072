"""CarePlan → recommendations: what, who, in which order. https://hl7.org/fhir/R4/careplan.html"""

from ecm.api.common.v1.values_pb2 import ProtectedDeclaration
from ecm.api.formulation.v1.formulation_records_pb2 import Recommendation, Recommendations
from ecm.api.formulation.v1.formulation_service_pb2 import RecordRecommendationsRequest
from ecm.exchange.intake.authors import check_named_one
from ecm.exchange.intake.context import Found, Writer
from ecm.exchange.intake.documents import declaration, free_text
from ecm.exchange.intake.elements import Element, invariant
from ecm.exchange.intake.references import Named, named, named_in
from ecm.exchange.mapping import codes

RECOMMENDATIONS = "recommendations"
# What is kept of a CarePlan; here and in the profile `ecm-recommendations`.
PLAN_ELEMENTS = (
    *("status", "intent", "category", "title", "subject", "encounter", "supportingInfo", "author"),
    *("goal", "activity", "extension"),
)
_MOST = 100
_LONGEST_NAME = 200


def plans(root: Element) -> str:
    """The own category of the plan; "" where it says none."""
    found = [code for category in root.each("category") for code in category.codes(codes.PLAN)]
    return found[0] if found else ""


def plan_references(root: Element) -> list[Named]:
    """Subject, encounter where it is named, and the case where it is."""
    inside = [named(root, "encounter", "Encounter")] if root.has("encounter") else []
    cases = named_in(root, "supportingInfo", "ServiceRequest", "EpisodeOfCare")
    return [named(root, "subject", "Patient"), *inside, *cases]


def plan_command(root: Element, writer: Writer, found: Found) -> RecordRecommendationsRequest:
    """All recommendations, the first time or anew (checklist 163, 164)."""
    root.allow(*PLAN_ELEMENTS, resource=True)
    root.code("status", {"active"})
    root.code("intent", {"plan", "proposal"})
    _check_categories(root)
    check_named_one(root, "author", writer)
    declared = declaration(root)
    activities = root.each("activity", least=1, most=_MOST)
    _check_keys(activities)
    items = [_item(activity, n, declared) for n, activity in enumerate(activities, 1)]
    return RecordRecommendationsRequest(
        case_id=str(found.case_id),
        recommendations_id=str(found.updated.record_id) if found.updated else "",
        expected_version=found.expected_version,
        recommendations=Recommendations(items=items),
    )


def _check_categories(root: Element) -> None:
    for category in root.each("category"):
        if category.codes(codes.PLAN) != [RECOMMENDATIONS]:
            raise invariant(f"Only {RECOMMENDATIONS} of {codes.PLAN} is kept here.", category.path)


def _check_keys(activities: list[Element]) -> None:
    """An id stands once in a resource: https://hl7.org/fhir/R4/element.html#id"""
    seen: set[str] = set()
    for activity in activities:
        key = activity.text("id", most=64)
        if key in seen:
            raise invariant("Another activity has this id.", activity.at("id"))
        seen |= {key} - {""}


def _item(activity: Element, n: int, declared: ProtectedDeclaration | None) -> Recommendation:
    """One recommendation; `goal` and `detail.status` say nothing that it doesn't."""
    activity.allow("detail")
    detail = activity.required("detail")
    detail.allow("extension", "status", "description", "performer")
    detail.code("status", {"not-started"})
    (performer,) = detail.each("performer", least=1, most=1)
    performer.allow("display")
    return Recommendation(
        key=activity.text("id", most=64),
        what=free_text(detail.text("description", required=True), declared),
        who=performer.text("display", required=True, most=_LONGEST_NAME),
        sequence=_sequence(detail, n),
    )


def _sequence(detail: Element, n: int) -> int:
    found = detail.each("extension", most=1)
    if not found:
        return n
    if found[0].text("url") != codes.SEQUENCE:
        raise invariant("This exchange doesn't keep this extension; leave it out.", found[0].at("url"))
    return found[0].positive("valuePositiveInt")
