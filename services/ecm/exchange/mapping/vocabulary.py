"""Every own code, once: what mappings say, and what `ecm ig build` defines.

A code system is either an enum of the protos, code by code, or stands here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from ecm.api.common.v1.values_pb2 import Category, ProtectedKind
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.monitoring.v1.monitoring_records_pb2 import OutcomeKind
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.elements import Json, coding, concept, enum_code, spoken
from ecm.exchange.mapping.form_items import ACES, COMPLEXITY, HEADER, REASON, RISKS, FormItem, GridItem
from ecm.kit.reasons import Reason
from ecm.kit.region_parts import AgencyKind

Concepts = Mapping[str, str]
"""Code → display."""


def _enum(enum: Any, *, beside: Concepts | None = None) -> Concepts:
    """An enum's values but the unspecified one, and what stands beside them."""
    found = (enum_code(enum, number) for number in enum.values() if number)
    return {code: spoken(code) for code in found} | dict(beside or {})


def _words(named: Iterable[str]) -> Concepts:
    return {code: spoken(code) for code in named}


_OBSERVATION: Final = {
    "adverse-childhood-experience": "Adverse childhood experience",
    "complexity": "Complexity",
    "timeline-entry": "Timeline entry",
    "outcome": "Outcome",
    "developmental-map": "Developmental map",
    "developmental-age-physical": "Developmental age: physical",
    "developmental-age-social": "Developmental age: social",
    "developmental-age-cognitive": "Developmental age: cognitive",
    "developmental-age-emotional": "Developmental age: emotional",
    "recovery-stage": "Stage of the recovery model",
    "recovery-presentation": "Presentation",
    "recovery-underlying-need": "Underlying need",
    "recovery-intervention": "Intervention",
    "child-voice": "Voice of the child or family",
    "genogram-key-information": "Key information beside the genogram",
    "reoffended": "Reoffended",
    "breached": "Breached",
}
_REQUEST: Final = {
    "enhanced-case-management": "Enhanced case management",
    "ecm-referral": "Referral to enhanced case management",
    "ecm-referral-progress": "Progress of a referral",
    "formulation-invitation": "Invitation to a formulation meeting",
    "written-information": "Written information is asked for",
}
_MEETING: Final = {
    "formulation-meeting": "Formulation meeting",
    "formulation": "Formulation",
    "review": "Review of the formulation",
    "case-conference": "Case conference",
    "convenor": "Convenes the meeting",
}
_CONSENT: Final = {
    "enhanced-case-management": "Enhanced case management",
    "ecm-consent": "Consent to enhanced case management",
}
# What the consent states (checklist 119).
_CONSENT_PURPOSE: Final = ("needed-information", "best-support", "better-communication")
_PLAN: Final = {
    "recommendations": "Recommendations of the formulation meeting",
    "intervention-plan": "Intervention plan",
}
_FORM: Final[tuple[FormItem | GridItem, ...]] = (*HEADER, REASON, *RISKS, *ACES, *COMPLEXITY)
_DOCUMENT: Final = ("contribution", "formulation-report", "assetplus-assessment", "timeline", "genogram")

# Recovery models that the product knows: (code, version) → stages. A region file names one.
RECOVERY_MODELS: Final = {("trm", "1"): range(1, 7)}

CODE_SYSTEMS: Final[dict[str, Concepts]] = {
    codes.CATEGORY: _enum(Category),
    codes.FORM_ITEM: {item.code: item.text for item in _FORM},
    # What is asked with yes and no alone has the same codes.
    codes.YES_NO_DONT_KNOW: _enum(referrals.YesNoDontKnow),
    codes.CURRENT_PREVIOUS_NEVER: _enum(referrals.CurrentPreviousNever),
    codes.RISK_LEVEL: _enum(referrals.RiskLevel),
    codes.DISPOSAL: _enum(referrals.Disposal),
    codes.CASE_STATE: _enum(referrals.CaseState),
    codes.CASE_END_REASON: _enum(referrals.CaseEndReason),
    codes.RELATIONSHIP: _enum(referrals.Relationship),
    codes.FAMILY_RELATION: _words(["parent", "partner"]),
    codes.PLACEMENT_KIND: _enum(referrals.PlacementKind),
    codes.AGENCY_KIND: _words(get_args(AgencyKind)),
    codes.REQUEST: _REQUEST,
    codes.MEETING: _enum(formulation.ContributionMode, beside=_MEETING),
    codes.ATTENDEE_KIND: _enum(formulation.AttendeeKind),
    codes.DOCUMENT: _words(_DOCUMENT),
    codes.CONSENT: _CONSENT,
    codes.CONSENT_PURPOSE: _words(_CONSENT_PURPOSE),
    codes.OBSERVATION: _OBSERVATION,
    codes.TIMELINE_KIND: _enum(formulation.TimelineKind),
    codes.CERTAINTY: _enum(formulation.Certainty),
    codes.OUTCOME: _enum(OutcomeKind, beside={"gravity-score": "Gravity score"}),
    codes.PLAN: _PLAN,
    codes.PROTECTED_KIND: _enum(ProtectedKind, beside={"none": "None"}),
    codes.ERROR_REASON: {reason.value: spoken(reason.value.lower().replace("_", "-")) for reason in Reason},
    **{
        codes.recovery_model(model): {str(stage): f"Stage {stage}" for stage in stages}
        for (model, _), stages in RECOVERY_MODELS.items()
    },
}


def own_coding(system: str, code: str) -> Json:
    """A Coding of an own system. KeyError for a code that isn't defined."""
    return coding(system, code, CODE_SYSTEMS[system][code])


def own(system: str, code: str) -> Json:
    """A CodeableConcept of an own system. KeyError for a code that isn't defined."""
    return concept(system, code, CODE_SYSTEMS[system][code])
