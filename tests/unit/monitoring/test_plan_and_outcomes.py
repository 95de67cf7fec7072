"""The plan's order and reason (174), outcomes (199 to 205), caseload (209), supervision (210 to 216)."""

from datetime import date

import pytest

from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Plan, PlanItem, PlanItemState, Supervision
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.model.days import wire
from ecm.monitoring.model.outcome import entered_caseload, recorded_outcome, recorded_supervision
from ecm.monitoring.model.plan import changed_plan, made_plan
from unit.monitoring.builders import TODAY, outcome, words

DAY = date(2026, 10, 1)


def item(sequence: int, **more: object) -> PlanItem:
    values = {"key": f"item-{sequence}", "who": "mentor", "state": PlanItemState.PLAN_ITEM_STATE_PLANNED} | more
    return PlanItem(sequence=sequence, what=words(), **values)  # type: ignore[arg-type]


def test_a_plan_is_kept_in_its_order() -> None:
    assert [i.sequence for i in made_plan(Plan(items=[item(2), item(1)])).items] == [1, 2]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [item(0)],
        [item(1), item(1, key="other")],
        [item(1), item(2, key="item-1")],
        [item(1, who="")],
        [item(1, state=PlanItemState.PLAN_ITEM_STATE_UNSPECIFIED)],
    ],
)
def test_a_faulty_plan_is_refused(items: list[PlanItem]) -> None:
    with pytest.raises(DomainError):
        made_plan(Plan(items=items))


def test_a_change_needs_its_reason() -> None:
    with pytest.raises(DomainError) as refused:
        changed_plan(Plan(items=[item(1)]))
    assert (refused.value.reason, refused.value.field) == (Reason.MISSING_VALUE, "plan.change_reason")
    assert changed_plan(Plan(items=[item(1)], change_reason="Discussed at review")).change_reason


@pytest.mark.parametrize(
    "faulty",
    [
        outcome("UNSPECIFIED", DAY),
        outcome("REOFFENCE", date(2026, 11, 21)),
        outcome("REOFFENCE", DAY, gravity=9),
        outcome("WARNING", DAY, gravity=2),
        outcome("WARNING", DAY, psychologist_consulted=True),
        outcome("OTHER", DAY),
    ],
)
def test_a_faulty_outcome_is_refused(faulty: object) -> None:
    with pytest.raises(DomainError):
        recorded_outcome(faulty, TODAY)  # type: ignore[arg-type]


def test_a_breach_notes_that_the_psychologist_was_consulted() -> None:
    assert recorded_outcome(outcome("BREACH", DAY, psychologist_consulted=True), TODAY).psychologist_consulted


def test_a_caseload_has_a_period_and_no_more_eligible_than_children() -> None:
    period = {"period_start": wire(date(2026, 4, 1)), "period_end": wire(date(2026, 6, 30))}
    assert entered_caseload(Caseload(yot="eastvale", children=80, eligible=12, **period)) == (
        date(2026, 4, 1),
        date(2026, 6, 30),
    )
    with pytest.raises(DomainError):
        entered_caseload(Caseload(yot="eastvale", children=10, eligible=12, **period))
    with pytest.raises(DomainError):
        entered_caseload(Caseload(period_start=period["period_end"], period_end=period["period_start"]))


@pytest.mark.parametrize("minutes", [0, -5, 1441])
def test_a_session_has_a_length(minutes: int) -> None:
    with pytest.raises(DomainError):
        recorded_supervision(Supervision(held_on=wire(DAY), minutes=minutes), TODAY)


def test_supervision_has_no_field_for_what_was_said() -> None:
    assert {field.name for field in Supervision.DESCRIPTOR.fields} == {"held_on", "minutes", "group", "recorded_at"}
