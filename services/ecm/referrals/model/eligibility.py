"""The three criteria and the exclusions, with their working in plain words (checklist 15 to 24, 60)."""

from ecm.api.referrals.v1.referrals_records_pb2 import (
    DISPOSAL_COMMUNITY_ORDER,
    DISPOSAL_CUSTODY,
    DISPOSAL_DTO_LICENCE,
    DISPOSAL_OUT_OF_COURT,
    DISPOSAL_PREVENTION,
    YES_NO_YES,
    CriterionFinding,
    Eligibility,
    ReferralForm,
)
from ecm.kit.region import Criteria
from ecm.referrals.model.answers import bereaved, tally_aces, tally_complexity
from ecm.referrals.model.refusals import missing
from ecm.referrals.model.stamp import Stamp

# The region file's codes of disposals (criteria.disposals, criteria.exclude).
CODES = {
    DISPOSAL_OUT_OF_COURT: "out-of-court-disposal",
    DISPOSAL_COMMUNITY_ORDER: "community-order",
    DISPOSAL_DTO_LICENCE: "dto-licence",
    DISPOSAL_PREVENTION: "prevention",
    DISPOSAL_CUSTODY: "custody",
}
CUSTODY_EXCEPTION = "the child was an ECM case before the custodial sentence and may continue, depending on its length"


def assess(form: ReferralForm, criteria: Criteria, *, ecm_case_already: bool, stamp: Stamp) -> Eligibility:
    """Every criterion and exclusion with its working; met where all are satisfied.

    `ecm_case_already`: the child was accepted to ECM before (custody exception, 22).
    MISSING_VALUE while an answer that decides is lacking: "not met" ends a case, so
    it never follows from an unfinished form.
    """
    _check_answered(form)
    continues = ecm_case_already and form.disposal == DISPOSAL_CUSTODY
    findings = [
        _complex_needs(form),
        _disposal(form, criteria, continues),
        _involvement(form, criteria),
        _exclusion(form, criteria, "prevention", False),
        _exclusion(form, criteria, "custody", continues),
        _sentenced(form),
    ]
    met = all(finding.satisfied for finding in findings)
    made = Eligibility(met=met, findings=findings, assessed_by=stamp.by, criteria_version=stamp.criteria_version)
    made.assessed_at.FromDatetime(stamp.at)
    return made


def unmet(eligibility: Eligibility) -> str:
    """The findings that aren't satisfied, in one line."""
    return "; ".join(f"{f.criterion}: {f.working}" for f in eligibility.findings if not f.satisfied)


def _check_answered(form: ReferralForm) -> None:
    for name in ("disposal", "sentenced"):
        if not getattr(form, name):
            raise missing(f"form.{name}", "is needed to assess the criteria.")
    if not (form.disposal_months or form.voluntary_months):
        raise missing("form.disposal_months", "the length of supervision or of voluntary contact is needed.")
    aces, complexity = tally_aces(form.aces), tally_complexity(form.complexity)
    if aces.unanswered == aces.items and complexity.unanswered == complexity.items and not bereaved(form.aces):
        raise missing("form.complexity", "no item of the two grids is answered yet.")


def _complex_needs(form: ReferralForm) -> CriterionFinding:
    aces, complexity = tally_aces(form.aces), tally_complexity(form.complexity)
    grief = bereaved(form.aces)
    working = (
        f"ACEs: {aces.affirmed} of {aces.items} yes, {aces.dont_know} don't know, {aces.unanswered} unanswered; "
        f"significant bereavement: {'yes' if grief else 'not affirmed'}; "
        f"complexity: {complexity.affirmed} of {complexity.items} yes, current or previous, "
        f"{complexity.dont_know} don't know, {complexity.unanswered} unanswered; "
        "any one is evidence, no number is required"
    )
    satisfied = bool(aces.affirmed or complexity.affirmed or grief)
    return CriterionFinding(criterion="complex-needs", satisfied=satisfied, working=working)


def _disposal(form: ReferralForm, criteria: Criteria, continues: bool) -> CriterionFinding:
    code = CODES[form.disposal]
    admitted = code in criteria.disposals
    working = f"current disposal: {code}; admitted: {', '.join(criteria.disposals)}"
    if continues and not admitted:
        working = f"{working}; {CUSTODY_EXCEPTION}"
    return CriterionFinding(criterion="disposal", satisfied=admitted or continues, working=working)


def _involvement(form: ReferralForm, criteria: Criteria) -> CriterionFinding:
    statutory, voluntary, needed = form.disposal_months, form.voluntary_months, criteria.minimum_involvement_months
    total = statutory + voluntary
    working = f"statutory {_months(statutory)} + voluntary {_months(voluntary)} = {_months(total)}, needed {needed}"
    return CriterionFinding(criterion="six-months", satisfied=total >= needed, working=working)


def _exclusion(form: ReferralForm, criteria: Criteria, code: str, excepted: bool) -> CriterionFinding:
    applies = CODES[form.disposal] == code
    if code not in criteria.exclude:
        satisfied, working = True, f"{code} isn't excluded in this region"
    elif applies and excepted:
        satisfied, working = True, CUSTODY_EXCEPTION
    else:
        satisfied, working = not applies, f"{code}: {'yes, excluded' if applies else 'no'}"
    return CriterionFinding(criterion=f"exclusion-{code}", satisfied=satisfied, working=working)


def _sentenced(form: ReferralForm) -> CriterionFinding:
    yes = form.sentenced == YES_NO_YES
    working = (
        "sentenced, or the disposal decided: yes" if yes else "not sentenced yet; refer after the court's decision"
    )
    return CriterionFinding(criterion="sentenced", satisfied=yes, working=working)


def _months(count: int) -> str:
    return f"{count} month" if count == 1 else f"{count} months"
