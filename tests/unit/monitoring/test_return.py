"""The monitoring return (checklist 192 to 205, 208)."""

from datetime import date

from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Supervision
from ecm.monitoring.model.days import wire
from ecm.monitoring.model.facts import Fact, FactName
from ecm.monitoring.model.figures import CaseHistory, Figure, Material, Period
from ecm.monitoring.model.monitoring_return import monitoring_return
from unit.monitoring.builders import drafted, history, meeting, outcome, review

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
DAY = date(2026, 6, 1)


def figures(*cases: CaseHistory, **more: object) -> dict[str, Figure]:
    material = Material(YEAR, 1, cases, **more)  # type: ignore[arg-type]
    return {figure.item: figure for figure in monitoring_return(material)}


def test_every_item_stands_there_in_the_checklists_order() -> None:
    items = [item for item in figures() if item.isdigit()]
    assert items == ["192", "193", "194", "195", "196", "197", "198", "199", "200", "201", "202", "203", "204", "205"]


def test_the_caseload_is_entered_or_absent_never_zero() -> None:
    assert figures()["192"].count is None
    assert figures(caseload=Caseload(children=80))["192"].count == 80


def test_eligible_children_are_those_counted_outside_or_those_found_here() -> None:
    met = history(Fact(FactName.CRITERIA_MET, DAY))
    assert figures(met)["193"].count == 1
    assert figures(met, caseload=Caseload(children=80, eligible=12))["193"].count == 12
    assert figures(met, caseload=Caseload(children=80, eligible=0))["193"].count == 0


def test_referrals_with_reasons_why_not() -> None:
    refused = [Fact(FactName.CRITERIA_NOT_MET, DAY), Fact(FactName.NOT_CARRIED_FORWARD, DAY, reason="disposal")]
    unviable = Fact(FactName.NOT_CARRIED_FORWARD, DAY, reason="not-viable")
    found = figures(history(*refused), history(unviable, n=2), history(Fact(FactName.CRITERIA_MET, DAY), n=3))
    assert (found["194"].count, found["195"].count) == (1, 1)
    assert found["196"].reasons == {"disposal": 1, "not-viable": 1}


def test_what_lies_outside_of_the_period_isnt_counted() -> None:
    before, after = date(2025, 12, 31), date(2027, 1, 1)
    found = figures(history(meeting(before), meeting(after), reviews=[review(before), review(YEAR.last)]))
    assert (found["197"].count, found["198"].count) == (0, 1)


def test_children_are_counted_once_however_often_they_complete() -> None:
    closed = Fact(FactName.CASE_CLOSED, DAY, reason="order-ended")
    found = figures(history(closed, outcomes=[outcome("ORDER_COMPLETED", DAY)], completed_on=DAY))
    assert (found["199"].count, found["200"].count) == (1, 1)


def test_disengagement_has_its_reasons() -> None:
    found = figures(
        history(Fact(FactName.CASE_CLOSED, DAY, reason="moved"), outcomes=[outcome("DISENGAGED", DAY)]),
        history(outcomes=[outcome("DISENGAGED", DAY)], n=2),
        history(Fact(FactName.CASE_CLOSED, DAY, reason="completed"), n=3),
    )
    assert (found["201"].count, found["201"].reasons) == (2, {"disengaged": 1, "moved": 1})


def test_a_breach_that_review_and_outcome_tell_is_one() -> None:
    told_twice = history(reviews=[review(DAY, breached=True)], outcomes=[outcome("BREACH", date(2026, 5, 20))])
    told_by_review = history(reviews=[review(DAY, breached=True)], n=2)
    assert figures(told_twice)["203"].count == 1
    assert figures(told_twice, told_by_review)["203"].count == 2


def test_reoffending_by_persistence_seriousness_and_gaps() -> None:
    offences = [
        outcome("REOFFENCE", date(2026, 3, day), gravity=gravity) for day, gravity in ((1, 3), (11, 3), (31, 0))
    ]
    found = figures(history(outcomes=offences), history(outcomes=offences[:1], n=2), history(n=3))
    assert [found[item].count for item in ("204", "204-children", "204-persistence", "204-gap-days")] == [4, 2, 1, 10]
    assert found["204-seriousness"].reasons == {"gravity-3": 3, "gravity-not-said": 1}


def test_reports_within_a_month() -> None:
    found = figures(
        history(meeting(DAY), drafted(date(2026, 7, 1))),
        history(meeting(DAY), drafted(date(2026, 7, 2)), n=2),
        history(meeting(date(2026, 12, 15)), n=3),
    )
    assert [found[i].count for i in ("report-due", "report-within-month", "report-within-month-percent")] == [2, 1, 50]
    assert figures()["report-within-month-percent"].count is None


def test_waiting_times() -> None:
    waited = history(
        Fact(FactName.REFERRED, date(2026, 2, 1)), Fact(FactName.ACCEPTED, date(2026, 2, 15)), meeting(date(2026, 3, 1))
    )
    found = figures(waited)
    assert found["referral-to-acceptance-days"].count == 14
    assert found["acceptance-to-meeting-days"].count == 14
    assert found["acceptance-to-meeting-days"].title == "Median days, accepted to meeting held"


def test_stages_move_up_and_down() -> None:
    reviews = [review(DAY, stage=stage, stage_at_formulation=3) for stage in (2, 3, 4)] + [review(DAY, stage=4)]
    assert figures(history(reviews=reviews))["stage-movement"].reasons == {"higher": 1, "lower": 1, "same": 1}


def test_supervision_is_counted_and_nothing_else() -> None:
    sessions = [Supervision(held_on=wire(DAY), minutes=60), Supervision(held_on=wire(DAY), minutes=90, group=True)]
    assert figures(supervisions=sessions)["supervision-sessions"].reasons == {"group": 1, "individual": 1}
