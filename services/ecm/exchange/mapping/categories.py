"""Which category a resource carries: what it is about decides who may see it."""

from collections.abc import Iterable
from typing import Final

from ecm.api.common.v1.values_pb2 import Category
from ecm.api.formulation.v1.formulation_records_pb2 import TimelineKind
from ecm.exchange.mapping.elements import enum_code

INVITATION: Final = "invitation"
REFERRAL: Final = "referral"
FORMULATION: Final = "formulation"
REPORT: Final = "report"
HEALTH: Final = "health"
SOCIAL_CARE: Final = "social-care"
EDUCATION: Final = "education"
OFFENDING: Final = "offending"
FAMILY: Final = "family"
FAMILY_SENSITIVE: Final = "family-sensitive"

# AssetPlus speaks of everything but what comes after it.
ASSETPLUS: Final = (REFERRAL, HEALTH, SOCIAL_CARE, EDUCATION, OFFENDING, FAMILY, FAMILY_SENSITIVE)

_OF_AGENCY: Final = {
    "local-authority": SOCIAL_CARE,
    "health": HEALTH,
    "psychology": HEALTH,
    "education": EDUCATION,
    "custody": OFFENDING,
    "police": OFFENDING,
    "youth-offending-team": OFFENDING,
}

_OF_TIMELINE: Final = {
    TimelineKind.TIMELINE_KIND_PRE_BIRTH: FAMILY,
    TimelineKind.TIMELINE_KIND_BIRTH: HEALTH,
    TimelineKind.TIMELINE_KIND_POST_BIRTH: HEALTH,
    TimelineKind.TIMELINE_KIND_PARENTAL_RELATIONSHIP: FAMILY,
    TimelineKind.TIMELINE_KIND_SIBLING_BIRTH: FAMILY,
    TimelineKind.TIMELINE_KIND_HOUSE_MOVE: SOCIAL_CARE,
    TimelineKind.TIMELINE_KIND_SCHOOL: EDUCATION,
    TimelineKind.TIMELINE_KIND_PHYSICAL_HEALTH: HEALTH,
    TimelineKind.TIMELINE_KIND_MENTAL_HEALTH: HEALTH,
    TimelineKind.TIMELINE_KIND_PARENT_CARER: FAMILY_SENSITIVE,
    TimelineKind.TIMELINE_KIND_SOCIAL_SERVICES: SOCIAL_CARE,
    TimelineKind.TIMELINE_KIND_OFFENCE: OFFENDING,
    TimelineKind.TIMELINE_KIND_LOSS: FAMILY,
    TimelineKind.TIMELINE_KIND_PAST_INTERVENTION: FORMULATION,
    TimelineKind.TIMELINE_KIND_RELATIONSHIP: FAMILY,
}


def of_timeline(kind: int, family_sensitive: bool) -> str:
    """The category of a timeline entry, by its kind; what speaks of a relative's troubles is `family-sensitive`."""
    if family_sensitive:
        return FAMILY_SENSITIVE
    # An unknown kind gets the strictest, so that a new one can't open by accident.
    return _OF_TIMELINE.get(kind, FORMULATION if kind == TimelineKind.TIMELINE_KIND_OTHER else FAMILY_SENSITIVE)  # type: ignore[call-overload, no-any-return]


def of_contribution(agency_kind: str, declared: Iterable[int]) -> tuple[str, ...]:
    """What its author declared; else the agency's own category, and `family-sensitive`."""
    codes = tuple(sorted({code for number in declared if (code := enum_code(Category, number))}))
    return codes or (_OF_AGENCY.get(agency_kind, REFERRAL), FAMILY_SENSITIVE)
