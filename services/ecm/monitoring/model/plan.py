"""The intervention plan follows the recommendations and changes with a reason (checklist 93, 174, 228)."""

from collections.abc import Iterable

from ecm.api.monitoring.v1.monitoring_records_pb2 import Plan, PlanItem, PlanItemState
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.monitoring.model.texts import check_line, check_text

_MOST_ITEMS = 100


def made_plan(plan: Plan) -> Plan:
    """The plan as first made; errors as `_checked`."""
    return _checked(plan)


def changed_plan(plan: Plan) -> Plan:
    """The plan's new content; MISSING_VALUE without `change_reason` (174)."""
    check_line(plan.change_reason, "plan.change_reason", required=True)
    return _checked(plan)


def _checked(plan: Plan) -> Plan:
    """The plan with its items in their order.

    MISSING_VALUE for no items or an item without words, INVALID_VALUE for a key or
    a place that stands there twice, a place below 1, or an unknown state.
    """
    if not plan.items:
        raise DomainError(Reason.MISSING_VALUE, "A plan has at least one item.", field="plan.items")
    if len(plan.items) > _MOST_ITEMS:
        raise DomainError(Reason.TOO_LARGE, f"A plan has at most {_MOST_ITEMS} items.", field="plan.items")
    if plan.recommendations_id:
        parse_uuid(plan.recommendations_id, "plan.recommendations_id")
    for n, item in enumerate(plan.items):
        _check_item(item, f"plan.items[{n}]")
    _check_unique((item.key for item in plan.items), "plan.items.key")
    _check_unique((item.sequence for item in plan.items), "plan.items.sequence")
    ordered = Plan()
    ordered.CopyFrom(plan)
    del ordered.items[:]
    ordered.items.extend(sorted(plan.items, key=lambda item: item.sequence))
    return ordered


def _check_item(item: PlanItem, field: str) -> None:
    check_line(item.key, f"{field}.key", required=True)
    check_text(item.what, f"{field}.what", required=True)
    check_line(item.who, f"{field}.who", required=True)
    check_line(item.recommendation_key, f"{field}.recommendation_key")
    if item.sequence < 1:
        raise DomainError(Reason.INVALID_VALUE, "The order begins at 1.", field=f"{field}.sequence")
    if item.state not in PlanItemState.values() or not item.state:
        raise DomainError(Reason.INVALID_VALUE, "The item's state isn't one of the list.", field=f"{field}.state")


def _check_unique(values: Iterable[object], field: str) -> None:
    seen = list(values)
    if len(set(seen)) < len(seen):
        raise DomainError(Reason.INVALID_VALUE, f"{field} stands there twice.", field=field)
