"""The form: two value sets, unanswered and don't know apart, incomplete while saved, complete when sent (29 to 76)."""

from datetime import date

import pytest

from ecm.api.common.v1.values_pb2 import FreeText
from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.kit.errors import Reason
from ecm.referrals.model.answers import tally_aces, tally_complexity
from ecm.referrals.model.form import check_form, check_sendable
from unit.referrals.builders import BORN, TODAY, day, form, refused


def check(made: pb.ReferralForm) -> None:
    check_form(made, "eastvale", BORN, TODAY)


def test_an_empty_form_may_be_saved_but_not_sent() -> None:
    check(pb.ReferralForm())
    with refused(Reason.MISSING_VALUE, "form.case_manager_name") as refusal:
        check_sendable(pb.ReferralForm())
    for name in ("risk_of_reoffending", "previous_interventions", "aces", "complexity", "sentenced", "disposal_months"):
        assert f"form.{name}" in refusal.message


def test_a_whole_form_may_be_sent() -> None:
    check(form())
    check_sendable(form())


def test_no_previous_interventions_is_an_answer_and_unanswered_is_none() -> None:
    check_sendable(form(previous_interventions=0))
    with refused(Reason.MISSING_VALUE, "form.previous_interventions"):
        check_sendable(form(previous_interventions=None))


@pytest.mark.parametrize("name", [field.name for field in pb.ReferralForm.DESCRIPTOR.fields])
def test_each_item_of_the_header_is_required_to_send(name: str) -> None:
    made = form()
    made.ClearField(name)  # type: ignore[arg-type]
    if name in ("disposal_months", "voluntary_months"):
        check_sendable(made)
        return
    with refused(Reason.MISSING_VALUE, f"form.{name}"):
        check_sendable(made)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("form.yot", {"yot": "westmoor"}),
        ("form.contact_number", {"contact_number": "call me"}),
        ("form.ethnicity", {"ethnicity": "purple"}),
        ("form.date_of_referral", {"date_of_referral": day(date(2026, 11, 25))}),
        ("form.date_of_referral", {"date_of_referral": day(date(2011, 1, 1)), "age": 0}),
        ("form.age", {"age": 15}),
        ("form.age", {"age": -1, "date_of_referral": None}),
        ("form.disposal_months", {"disposal_months": -4}),
        ("form.voluntary_months", {"voluntary_months": 121}),
        ("form.previous_interventions", {"previous_interventions": -1}),
        ("form.disposal", {"disposal": 6}),
        ("form.risk_of_harm_to_self", {"risk_of_harm_to_self": 4}),
        ("form.repeat_offender", {"repeat_offender": 3}),
        ("form.aces.neglect", {"aces": pb.AdverseChildhoodExperiences(neglect=4)}),
        # "Don't know" is no answer of the first four (75), "previous" none of the last ten.
        ("form.complexity.camhs_contact", {"complexity": pb.Complexity(camhs_contact=4)}),
        ("form.complexity.exploitation", {"complexity": pb.Complexity(exploitation=4)}),
        ("form.reason.text", {"reason": FreeText(text="x" * 20_001)}),
        ("form.reason.declaration.holds[0]", {"reason": FreeText(text="x", declaration={"holds": [77]})}),
    ],
)
def test_an_answer_that_cannot_be_is_named(field: str, changes: dict[str, object]) -> None:
    with refused(Reason.INVALID_VALUE, field):
        check(form(**changes))


def test_bereavement_is_no_ace_and_dont_know_is_not_no() -> None:
    aces = pb.AdverseChildhoodExperiences(
        verbal_abuse=pb.YES_NO_DONT_KNOW_YES,
        neglect=pb.YES_NO_DONT_KNOW_NO,
        sexual_abuse=pb.YES_NO_DONT_KNOW_DONT_KNOW,
        significant_bereavement=pb.YES_NO_DONT_KNOW_YES,
    )
    tally = tally_aces(aces)
    assert (tally.items, tally.affirmed, tally.dont_know, tally.unanswered) == (10, 1, 1, 7)


def test_previous_counts_as_complexity_and_no_does_not() -> None:
    complexity = pb.Complexity(
        child_protection_plan=pb.CURRENT_PREVIOUS_NEVER_PREVIOUS,
        camhs_contact=pb.CURRENT_PREVIOUS_NEVER_NEVER,
        exploitation=pb.YES_NO_DONT_KNOW_NO,
        emotional_abuse=pb.YES_NO_DONT_KNOW_DONT_KNOW,
    )
    tally = tally_complexity(complexity)
    assert (tally.items, tally.affirmed, tally.dont_know, tally.unanswered) == (14, 1, 1, 10)
