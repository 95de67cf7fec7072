"""Recommendations and intervention plan → CarePlan, with a Goal per recommendation.

https://hl7.org/fhir/R4/careplan.html, …/goal.html
"""

from functools import partial
from typing import Final

from ecm.api.formulation.v1.formulation_records_pb2 import Recommendation, Recommendations
from ecm.api.monitoring.v1.monitoring_records_pb2 import Plan, PlanItem, PlanItemState
from ecm.exchange.mapping import codes, ids
from ecm.exchange.mapping.categories import REPORT
from ecm.exchange.mapping.documents import declaration, provenance
from ecm.exchange.mapping.elements import extension
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import View, shows_text
from ecm.exchange.mapping.vocabulary import own

_ACTIVITY: Final = {
    PlanItemState.PLAN_ITEM_STATE_PLANNED: "not-started",
    PlanItemState.PLAN_ITEM_STATE_IN_PROGRESS: "in-progress",
    PlanItemState.PLAN_ITEM_STATE_DONE: "completed",
    PlanItemState.PLAN_ITEM_STATE_DROPPED: "cancelled",
}


def map_recommendations(source: Source[Recommendations]) -> list[MappedResource]:
    """What was recommended: what, who, in which order (163, 164)."""
    written = source.content
    plan = source.resource("CarePlan", partial(_recommended, source), REPORT)
    stated = [item for item in written.items if shows_text(item.what, View.FULL)]
    goals = [source.resource("Goal", partial(_goal, source, item), REPORT, key=item.key) for item in stated]
    return [plan, *goals, *provenance(source, plan, written.author, source.author_agency(written.author))]


def _recommended(source: Source[Recommendations], view: View) -> Json:
    items = sorted(source.content.items, key=lambda item: (item.sequence, item.key))
    return _plan(source, "recommendations") | {
        "status": "active",
        "author": source.context.practitioner(source.content.author),
        "goal": [source.own("Goal", item.key) for item in items if shows_text(item.what, view)],
        "extension": declaration(*(item.what for item in items)) if view is View.FULL else [],
        "activity": [_activity(item, "not-started", view) for item in items],
    }


def _goal(source: Source[Recommendations], item: Recommendation, view: View) -> Json | None:
    if not shows_text(item.what, view):
        return None
    return {
        "lifecycleStatus": "proposed",
        "description": {"text": item.what.text},
        "subject": source.subject,
    }


def map_plan(source: Source[Plan]) -> list[MappedResource]:
    """The intervention plan, which follows the recommendations (93, 174)."""
    return [source.resource("CarePlan", partial(_intervention, source), REPORT)]


def _intervention(source: Source[Plan], view: View) -> Json:
    plan = source.content
    items = sorted(plan.items, key=lambda item: (item.sequence, item.key))
    follows = [ids.reference(plan.recommendations_id, "CarePlan")] if plan.recommendations_id else []
    return _plan(source, "intervention-plan") | {
        "basedOn": follows,
        "status": "completed" if plan.completed else "active",
        "activity": [_activity(item, _ACTIVITY.get(item.state, "unknown"), view) for item in items],
    }


def _plan(source: Source[Recommendations] | Source[Plan], kind: str) -> Json:
    category = own(codes.PLAN, kind)
    return {
        "intent": "plan",
        "category": [category],
        "title": category["text"],
        "subject": source.subject,
    }


def _activity(item: Recommendation | PlanItem, status: str, view: View) -> Json:
    """What is to be done, by whom; the item's key is the element's id, so that it stays."""
    detail = {
        "extension": [extension(codes.SEQUENCE, valuePositiveInt=item.sequence)] if item.sequence > 0 else [],
        "status": status,
        "description": item.what.text if shows_text(item.what, view) else None,
        "performer": [{"display": item.who}] if view is View.FULL and item.who else [],
    }
    return {"id": item.key, "detail": detail}
