"""Criteria 1 to 3, exclusions, the working in plain words (checklist 15 to 24)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.kit.errors import Reason
from ecm.referrals.model.criteria import in_force
from ecm.referrals.model.eligibility import CODES, assess
from unit.referrals.builders import CRITERIA, STAMP, TODAY, form, refused

NO_ACES = pb.AdverseChildhoodExperiences()
NO_COMPLEXITY = pb.Complexity(exploitation=pb.YES_NO_DONT_KNOW_NO)


def finding(made: pb.ReferralForm, criterion: str, *, already: bool = False) -> pb.CriterionFinding:
    eligibility = assess(made, CRITERIA, ecm_case_already=already, stamp=STAMP)
    (found,) = [entry for entry in eligibility.findings if entry.criterion == criterion]
    return found


def test_a_met_case_shows_six_lines() -> None:
    eligibility = assess(form(), CRITERIA, ecm_case_already=False, stamp=STAMP)
    assert eligibility.met
    assert [entry.criterion for entry in eligibility.findings] == [
        "complex-needs",
        "disposal",
        "six-months",
        "exclusion-prevention",
        "exclusion-custody",
        "sentenced",
    ]
    assert (eligibility.assessed_by, eligibility.criteria_version) == ("case-manager", 1)


def test_the_six_months_are_shown() -> None:
    assert finding(form(), "six-months").working == "statutory 4 months + voluntary 3 months = 7 months, needed 6"
    short = finding(form(disposal_months=1), "six-months")
    assert (short.satisfied, short.working) == (
        False,
        "statutory 1 month + voluntary 3 months = 4 months, needed 6",
    )


@pytest.mark.parametrize(
    ("statutory", "voluntary", "met"), [(6, 0, True), (0, 6, True), (3, 3, True), (5, 0, False), (2, 3, False)]
)
def test_six_months_may_be_statutory_voluntary_or_both(statutory: int, voluntary: int, met: bool) -> None:
    made = form(disposal_months=statutory, voluntary_months=voluntary)
    assert finding(made, "six-months").satisfied is met


def test_one_affirmed_item_is_evidence_and_no_number_is_asked_for() -> None:
    one_item = form(aces=NO_ACES, complexity=pb.Complexity(camhs_contact=pb.CURRENT_PREVIOUS_NEVER_PREVIOUS))
    found = finding(one_item, "complex-needs")
    assert found.satisfied
    assert "complexity: 1 of 14 yes, current or previous" in found.working
    assert "no number is required" in found.working


def test_dont_know_is_no_evidence() -> None:
    unknown = pb.AdverseChildhoodExperiences(neglect=pb.YES_NO_DONT_KNOW_DONT_KNOW)
    assert not finding(form(aces=unknown, complexity=NO_COMPLEXITY), "complex-needs").satisfied


def test_bereavement_is_evidence_beside_the_ten() -> None:
    grief = pb.AdverseChildhoodExperiences(significant_bereavement=pb.YES_NO_DONT_KNOW_YES)
    found = finding(form(aces=grief, complexity=NO_COMPLEXITY), "complex-needs")
    assert found.satisfied
    assert found.working.startswith("ACEs: 0 of 10 yes")


def test_prevention_is_excluded() -> None:
    prevention = form(disposal=pb.DISPOSAL_PREVENTION)
    assert not finding(prevention, "exclusion-prevention").satisfied
    assert not finding(prevention, "exclusion-prevention", already=True).satisfied


def test_custody_is_excluded_but_for_an_ecm_case() -> None:
    custody = form(disposal=pb.DISPOSAL_CUSTODY)
    assert not assess(custody, CRITERIA, ecm_case_already=False, stamp=STAMP).met
    eligibility = assess(custody, CRITERIA, ecm_case_already=True, stamp=STAMP)
    assert eligibility.met
    assert "depending on its length" in finding(custody, "exclusion-custody", already=True).working


def test_nobody_is_referred_before_sentence() -> None:
    assert not finding(form(sentenced=pb.YES_NO_NO), "sentenced").satisfied


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("form.disposal", {"disposal": pb.DISPOSAL_UNSPECIFIED}),
        ("form.sentenced", {"sentenced": pb.YES_NO_UNSPECIFIED}),
        ("form.disposal_months", {"disposal_months": 0, "voluntary_months": 0}),
        ("form.complexity", {"aces": NO_ACES, "complexity": pb.Complexity()}),
    ],
)
def test_an_unfinished_form_is_not_a_no(field: str, changes: dict[str, object]) -> None:
    with refused(Reason.MISSING_VALUE, field):
        assess(form(**changes), CRITERIA, ecm_case_already=False, stamp=STAMP)


def test_the_newest_criteria_in_force_apply() -> None:
    later = CRITERIA.model_copy(update={"version": 2, "effective_from": date(2026, 12, 1)})
    assert in_force([later, CRITERIA], TODAY).version == 1
    assert in_force([CRITERIA, later], date(2026, 12, 1)).version == 2
    with refused(Reason.CRITERIA_NOT_MET):
        in_force([later], TODAY)


answers = st.sampled_from([1, 2, 3])
grids = st.builds(
    lambda aces, complexity: (
        pb.AdverseChildhoodExperiences(
            **dict(zip([f.name for f in pb.AdverseChildhoodExperiences.DESCRIPTOR.fields], aces, strict=True))
        ),
        pb.Complexity(**dict(zip([f.name for f in pb.Complexity.DESCRIPTOR.fields], complexity, strict=True))),
    ),
    st.lists(answers, min_size=11, max_size=11),
    st.lists(answers, min_size=14, max_size=14),
)


@given(
    disposal=st.sampled_from(list(CODES)),
    statutory=st.integers(1, 24),
    voluntary=st.integers(0, 24),
    sentenced=st.booleans(),
    already=st.booleans(),
    grid=grids,
)
def test_met_is_what_an_independent_oracle_says(
    *,
    disposal: int,
    statutory: int,
    voluntary: int,
    sentenced: bool,
    already: bool,
    grid: tuple[pb.AdverseChildhoodExperiences, pb.Complexity],
) -> None:
    aces, complexity = grid
    made = form(
        disposal=disposal,
        disposal_months=statutory,
        voluntary_months=voluntary,
        sentenced=1 if sentenced else 2,
        aces=aces,
        complexity=complexity,
    )
    yes_anywhere = any(value == 1 for _, value in aces.ListFields())
    spans = ("child_protection_plan", "local_authority_care", "other_social_care", "camhs_contact")
    complex_needs = any(
        value in (1, 2) if field.name in spans else value == 1 for field, value in complexity.ListFields()
    )
    allowed = disposal in (1, 2, 3) or (disposal == pb.DISPOSAL_CUSTODY and already)
    expected = (yes_anywhere or complex_needs) and allowed and statutory + voluntary >= 6 and sentenced
    assert assess(made, CRITERIA, ecm_case_already=already, stamp=STAMP).met is expected
