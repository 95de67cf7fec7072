"""The items of the ECM referral form, in the form's order (checklist 29 to 75).

Each has a stable code: the linkId in the QuestionnaireResponse, and the code of
the Observation or RiskAssessment that it yields.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ecm.api.referrals.v1 import referrals_records_pb2 as wire
from ecm.api.referrals.v1.referrals_records_pb2 import ReferralForm
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.elements import coding, date, enum_code, spoken
from ecm.exchange.mapping.people import GENDERS

Json = dict[str, Any]
Answer = Callable[[ReferralForm], Json | None]


@dataclass(frozen=True, slots=True)
class FormItem:
    """One question: its field, the checklist's number, its words, and its answer as FHIR (None: unanswered).

    `type` is a Questionnaire's item type; of a choice, `systems` are those of its answers.
    """

    field: str
    number: int
    text: str
    answer: Answer
    type: str
    systems: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The item's code, e.g. risk-of-reoffending."""
        return self.field.replace("_", "-")


@dataclass(frozen=True, slots=True)
class GridItem:
    """One line of a grid; `enum` is its own value set (checklist 75)."""

    field: str
    number: int
    text: str
    enum: Any
    system: str

    @property
    def code(self) -> str:
        """The line's code, e.g. verbal-abuse."""
        return self.field.replace("_", "-")

    def answer(self, grid: Any) -> Json | None:
        """The answer as a Coding; None where it is unanswered."""
        code = enum_code(self.enum, getattr(grid, self.field))
        return coding(self.system, code, spoken(code)) if code else None


def _text(field: str, number: int, text: str) -> FormItem:
    return FormItem(
        field, number, text, lambda form: {"valueString": value} if (value := getattr(form, field)) else None, "string"
    )


def _date(field: str, number: int, text: str) -> FormItem:
    return FormItem(
        field,
        number,
        text,
        lambda form: {"valueDate": value} if (value := date(getattr(form, field))) else None,
        "date",
    )


def _positive(field: str, number: int, text: str) -> FormItem:
    return FormItem(
        field,
        number,
        text,
        lambda form: {"valueInteger": value} if (value := getattr(form, field)) else None,
        "integer",
    )


def _count(field: str, number: int, text: str) -> FormItem:
    # Zero is an answer where the field has presence.
    return FormItem(
        field,
        number,
        text,
        lambda form: {"valueInteger": getattr(form, field)} if form.HasField(field) else None,  # type: ignore[arg-type]
        "integer",
    )


def _choice(field: str, number: int, text: str, enum: Any, system: str) -> FormItem:
    def answer(form: ReferralForm) -> Json | None:
        code = enum_code(enum, getattr(form, field))
        return {"valueCoding": coding(system, code, spoken(code))} if code else None

    return FormItem(field, number, text, answer, "choice", (system,))


def _gender(form: ReferralForm) -> Json | None:
    code = GENDERS.get(form.gender)
    return {"valueCoding": coding(codes.ADMINISTRATIVE_GENDER, code, spoken(code))} if code else None


def _ethnicity(form: ReferralForm) -> Json | None:
    system = codes.ETHNIC_CATEGORY_WALES if form.ethnicity == "T" else codes.ETHNIC_CATEGORY_ENGLAND
    return {"valueCoding": coding(system, form.ethnicity)} if form.ethnicity else None


_ETHNIC_CATEGORIES: Final = (codes.ETHNIC_CATEGORY_ENGLAND, codes.ETHNIC_CATEGORY_WALES)

HEADER: Final = (
    _text("case_manager_name", 29, "Case manager"),
    _text("yot", 30, "Youth offending team"),
    _text("contact_number", 31, "Contact number"),
    _date("date_of_referral", 32, "Date of referral"),
    _text("child_name", 34, "Child's name"),
    _positive("age", 35, "Age"),
    FormItem("ethnicity", 36, "Ethnicity", _ethnicity, "choice", _ETHNIC_CATEGORIES),
    FormItem("gender", 37, "Gender", _gender, "choice", (codes.ADMINISTRATIVE_GENDER,)),
    _choice("disposal", 38, "Current status", wire.Disposal, codes.DISPOSAL),
    _date("disposal_start", 38, "Start of the current disposal"),
    _positive("disposal_months", 38, "Length of the current disposal in months"),
    _positive("voluntary_months", 18, "Voluntary contact beyond it in months"),
    _count("previous_interventions", 39, "Number of previous interventions"),
    _choice("repeat_offender", 40, "Repeat offender", wire.YesNo, codes.YES_NO_DONT_KNOW),
    _choice("sentenced", 23, "Sentence passed", wire.YesNo, codes.YES_NO_DONT_KNOW),
)

# Shown as its author declared it (see `referral_form`), so that it isn't among the header's.
REASON: Final = FormItem(
    "reason",
    33,
    "Reason for referral and why ECM will make a difference",
    lambda form: {"valueString": form.reason.text} if form.reason.text else None,
    "string",
)

RISKS: Final = tuple(
    _choice(field, number, text, wire.RiskLevel, codes.RISK_LEVEL)
    for field, number, text in (
        ("risk_of_reoffending", 41, "Risk of reoffending"),
        ("risk_of_harm_to_self", 42, "Risk of harm to self"),
        ("risk_of_harm_to_others", 43, "Risk of harm to others"),
    )
)

ACES: Final = tuple(
    GridItem(field, number, text, wire.YesNoDontKnow, codes.YES_NO_DONT_KNOW)
    for field, number, text in (
        ("verbal_abuse", 46, "Verbal abuse"),
        ("physical_abuse", 47, "Physical abuse"),
        ("sexual_abuse", 48, "Sexual abuse"),
        ("neglect", 49, "Neglect (emotional or physical)"),
        ("parental_separation", 50, "Parental separation"),
        ("witnessed_domestic_abuse", 51, "Witnessed domestic abuse"),
        ("household_mental_illness", 52, "Lived with someone with mental illness"),
        ("household_alcohol_abuse", 53, "Lived with someone with alcohol abuse"),
        ("household_drug_abuse", 54, "Lived with someone with drug abuse"),
        ("household_incarceration", 55, "Lived with someone who has been incarcerated"),
        ("significant_bereavement", 56, "Significant bereavement"),
    )
)

COMPLEXITY: Final = tuple(
    GridItem(field, number, text, wire.CurrentPreviousNever, codes.CURRENT_PREVIOUS_NEVER)
    for field, number, text in (
        ("child_protection_plan", 61, "Child protection plan"),
        ("local_authority_care", 62, "Local-authority care"),
        ("other_social_care", 63, "Other social-care involvement"),
        ("camhs_contact", 64, "Contact with CAMHS"),
    )
) + tuple(
    GridItem(field, number, text, wire.YesNoDontKnow, codes.YES_NO_DONT_KNOW)
    for field, number, text in (
        ("problematic_drug_use", 65, "Problematic drug use"),
        ("problematic_alcohol_use", 66, "Problematic alcohol use"),
        ("emotional_mental_health", 67, "Emotional and mental-health issues"),
        ("brain_injury_neurological", 68, "Brain injury and other neurological disability"),
        ("learning_educational", 69, "Learning and educational difficulties"),
        ("speech_language_communication", 70, "Speech, language and communication needs"),
        ("exploitation", 71, "Child sexual or criminal exploitation"),
        ("accommodation_instability", 72, "Accommodation instability"),
        ("serious_youth_violence", 73, "Involvement in serious youth violence"),
        ("emotional_abuse", 74, "Emotional abuse"),
    )
)

# linkId → its words and its lines.
GRIDS: Final = {"aces": ("Adverse childhood experiences", ACES), "complexity": ("Complexity", COMPLEXITY)}
