"""The one way in: a record's version → the resources that it yields."""

from datetime import UTC
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import Change, RecordVersion
from ecm.api.consent.v1 import consent_records_pb2 as consent_wire
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.monitoring.v1 import monitoring_records_pb2 as monitoring_wire
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.exchange.mapping import (
    assessment,
    case,
    child,
    clinical,
    consent,
    contribution,
    family_member,
    invitation,
    meeting,
    monitoring,
    plans,
    referral_form,
    reports,
    timeline,
)
from ecm.exchange.mapping.resource import MappedResource, Mapper, MappingContext, Source

# Record kind → (content, mapper).
MAPPERS: Final[dict[str, tuple[type[Message], Mapper]]] = {
    "CHILD": (referrals.Child, child.map_child),
    "FAMILY_MEMBER": (referrals.FamilyMember, family_member.map_family_member),
    "CASE": (referrals.Case, case.map_case),
    "REFERRAL_FORM": (referrals.ReferralForm, referral_form.map_referral_form),
    "ASSESSMENT": (referrals.Assessment, assessment.map_assessment),
    "CONSENT": (consent_wire.Consent, consent.map_consent),
    "MEETING": (formulation.Meeting, meeting.map_meeting),
    "INVITATION": (formulation.Invitation, invitation.map_invitation),
    "CONTRIBUTION": (formulation.Contribution, contribution.map_contribution),
    "GENOGRAM": (formulation.Genogram, timeline.map_genogram),
    "TIMELINE_ENTRY": (formulation.TimelineEntry, timeline.map_timeline_entry),
    "TIMELINE": (formulation.Timeline, timeline.map_timeline),
    "DEVELOPMENTAL_MAP": (formulation.DevelopmentalMap, clinical.map_developmental_map),
    "RECOVERY_STAGE": (formulation.RecoveryStage, clinical.map_recovery_stage),
    "RECOMMENDATIONS": (formulation.Recommendations, plans.map_recommendations),
    "REPORT_DRAFT": (formulation.ReportDraft, reports.map_report_draft),
    "REPORT": (formulation.Report, reports.map_report),
    "CHILD_VOICE": (formulation.ChildVoice, clinical.map_child_voice),
    "PLAN": (monitoring_wire.Plan, plans.map_plan),
    "REVIEW": (monitoring_wire.Review, monitoring.map_review),
    "OUTCOME": (monitoring_wire.Outcome, monitoring.map_outcome),
}

# Never exchanged: agreements and overrides are consent's own; caseloads belong to no child.
UNMAPPED: Final = frozenset({"AGREEMENT", "OVERRIDE", "CASELOAD"})


class UnmappableError(Exception):
    """The version can't be mapped: an unknown kind, or content of another message. Names no detail of a person."""


def map_record(version: RecordVersion, context: MappingContext) -> list[MappedResource]:
    """The resources that a version yields: none where it is closed, or its kind isn't exchanged.

    Raises UnmappableError. A rendition has no versionId and lastUpdated: the projection knows those.
    """
    if version.change == Change.CHANGE_CLOSED or version.kind in UNMAPPED:
        return []
    if version.kind not in MAPPERS:
        raise UnmappableError(f"unknown kind {version.kind}")
    content_type, mapper = MAPPERS[version.kind]
    return [found for found in mapper(_source(version, content_type, context)) if found.renditions]


def _source(version: RecordVersion, content_type: type[Message], context: MappingContext) -> Source[Any]:
    content = content_type()
    if not version.content.Unpack(content):
        raise UnmappableError(f"a {version.kind} that holds {version.content.TypeName()}")
    return Source(
        record_id=UUID(version.record_id),
        child_id=UUID(version.child_id),
        case_id=version.case_id,
        yot=version.yot,
        recorded_at=version.recorded_at.ToDatetime(tzinfo=UTC),
        recorded_agency=version.recorded_agency,
        content=content,
        context=context,
    )
