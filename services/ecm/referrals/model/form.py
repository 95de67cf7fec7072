"""The ECM referral form: what a saved form may hold, and what a sent one must (checklist 29 to 76)."""

from datetime import date

from ecm.api.referrals.v1.referrals_records_pb2 import ReferralForm
from ecm.kit import declarations
from ecm.referrals.model.bounds import check_bounds
from ecm.referrals.model.codes import check_ethnic_category
from ecm.referrals.model.contact import check_phone
from ecm.referrals.model.dates import age_on, past_date, to_date
from ecm.referrals.model.refusals import invalid, missing

LONGEST_MONTHS = 120
MOST_INTERVENTIONS = 100

# By field, with the checklist's number. Single answers of the two grids may stay
# unanswered in a sent form: the guidance asks for the form, not for every answer,
# and unanswered is never turned into "no" (58).
REQUIRED_TEXTS = ("case_manager_name", "yot", "contact_number", "child_name", "ethnicity")
REQUIRED_ANSWERS = (
    "age",
    "gender",
    "disposal",
    "repeat_offender",
    "risk_of_reoffending",
    "risk_of_harm_to_self",
    "risk_of_harm_to_others",
    "sentenced",
)
REQUIRED_PARTS = ("date_of_referral", "reason", "disposal_start", "previous_interventions", "aces", "complexity")


def check_form(form: ReferralForm, yot: str, born: date, today: date) -> None:
    """INVALID_VALUE for the first answer given that can't be; anything may stay unanswered.

    `yot` is the case's, `born` the child's date of birth, `today` the region's day.
    """
    check_bounds(form, "form")
    if form.yot and form.yot != yot:
        raise invalid("form.yot", "isn't the YOT of the case.")
    if form.contact_number:
        check_phone(form.contact_number, "form.contact_number")
    check_ethnic_category(form.ethnicity, "form.ethnicity")
    _check_dates(form, born, today)
    _check_numbers(form)


def check_sendable(form: ReferralForm) -> None:
    """MISSING_VALUE naming every item that a sent form must have and this one lacks (84)."""
    lacking = [f"form.{name}" for name in _lacking(form)]
    if lacking:
        raise missing(lacking[0], f"the form can't be sent yet; it lacks: {', '.join(lacking)}.")


def _lacking(form: ReferralForm) -> list[str]:
    texts = [name for name in REQUIRED_TEXTS if not getattr(form, name).strip()]
    answers = [name for name in REQUIRED_ANSWERS if not getattr(form, name)]
    parts = [name for name in REQUIRED_PARTS if not form.HasField(name)]  # type: ignore[arg-type]
    if form.HasField("reason") and not form.reason.text.strip():
        parts.append("reason.text")
    if not (form.disposal_months or form.voluntary_months):
        parts.append("disposal_months")
    return [*texts, *answers, *parts]


def _check_dates(form: ReferralForm, born: date, today: date) -> None:
    if form.HasField("disposal_start"):
        # An order may be made to begin later; a referral isn't made in the future.
        to_date(form.disposal_start, "form.disposal_start")
    if not form.HasField("date_of_referral"):
        return
    referred = past_date(form.date_of_referral, "form.date_of_referral", today)
    if referred < born:
        raise invalid("form.date_of_referral", "is before the child's birth.")
    if form.age and form.age != age_on(born, referred):
        raise invalid("form.age", f"the child was {age_on(born, referred)} on the date of referral.")


def _check_numbers(form: ReferralForm) -> None:
    if form.age < 0:
        raise invalid("form.age", "is negative.")
    for name in ("disposal_months", "voluntary_months"):
        if not 0 <= getattr(form, name) <= LONGEST_MONTHS:
            raise invalid(f"form.{name}", f"must be 0 to {LONGEST_MONTHS} months.")
    if not 0 <= form.previous_interventions <= MOST_INTERVENTIONS:
        raise invalid("form.previous_interventions", f"must be 0 to {MOST_INTERVENTIONS}.")


def is_stricter(old: ReferralForm, new: ReferralForm) -> bool:
    """Whether the reason (33), its one free text, counts as holding a protected kind that the old one didn't."""
    return declarations.is_stricter(old.reason, new.reason)
