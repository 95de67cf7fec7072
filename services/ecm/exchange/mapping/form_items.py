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
    """One question: its field, the checklist's number, its words, and its answer as FHIR (None: unanswered)."""

    field: str
    number: int
    text: str
    answer: Answer

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


def _text(field: str) -> Answer:
    return lambda form: {"valueString": value} if (value := getattr(form, field)) else None


def _date(field: str) -> Answer:
    return lambda form: {"valueDate": value} if (value := date(getattr(form, field))) else None


def _positive(field: str) -> Answer:
    return lambda form: {"valueInteger": value} if (value := getattr(form, field)) else None


def _count(field: str) -> Answer:
    # Zero is an answer where the field has presence.
    return lambda form: {"valueInteger": getattr(form, field)} if form.HasField(field) else None  # type: ignore[arg-type]


def _choice(field: str, enum: Any, system: str) -> Answer:
    def answer(form: ReferralForm) -> Json | None:
        code = enum_code(enum, getattr(form, field))
        return {"valueCoding": coding(system, code, spoken(code))} if code else None

    return answer


def _gender(form: ReferralForm) -> Json | None:
    code = GENDERS.get(form.gender)
    return {"valueCoding": coding("http://hl7.org/fhir/administrative-gender", code, spoken(code))} if code else None


def _ethnicity(form: ReferralForm) -> Json | None:
    system = codes.ETHNIC_CATEGORY_WALES if form.ethnicity == "T" else codes.ETHNIC_CATEGORY_ENGLAND
    return {"valueCoding": coding(system, form.ethnicity)} if form.ethnicity else None


HEADER: Final = (
    FormItem("case_manager_name", 29, "Case manager", _text("case_manager_name")),
    FormItem("yot", 30, "Youth offending team", _text("yot")),
    FormItem("contact_number", 31, "Contact number", _text("contact_number")),
    FormItem("date_of_referral", 32, "Date of referral", _date("date_of_referral")),
    FormItem("child_name", 34, "Child's name", _text("child_name")),
    FormItem("age", 35, "Age", _positive("age")),
    FormItem("ethnicity", 36, "Ethnicity", _ethnicity),
    FormItem("gender", 37, "Gender", _gender),
    FormItem("disposal", 38, "Current status", _choice("disposal", wire.Disposal, codes.DISPOSAL)),
    FormItem("disposal_start", 38, "Start of the current disposal", _date("disposal_start")),
    FormItem("disposal_months", 38, "Length of the current disposal in months", _positive("disposal_months")),
    FormItem("voluntary_months", 18, "Voluntary contact beyond it in months", _positive("voluntary_months")),
    FormItem("previous_interventions", 39, "Number of previous interventions", _count("previous_interventions")),
    FormItem("repeat_offender", 40, "Repeat offender", _choice("repeat_offender", wire.YesNo, codes.YES_NO_DONT_KNOW)),
    FormItem("sentenced", 23, "Sentence passed", _choice("sentenced", wire.YesNo, codes.YES_NO_DONT_KNOW)),
)

RISKS: Final = tuple(
    FormItem(field, number, text, _choice(field, wire.RiskLevel, codes.RISK_LEVEL))
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
