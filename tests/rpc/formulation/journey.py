"""A case's way through the formulation, in small steps that tests build on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.common.v1.values_pb2 import Date, Document, FreeText, PartialDate, PartialPeriod, ProtectedDeclaration
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from rpc.formulation.conftest import Formulation

PDF = Document(content_type="application/pdf", title="Formulation report", content=b"%PDF-1.7 invented")
AUTHORITY, PSYCHOLOGY = "la-eastvale", "nhs-psychology"


def at(days: float) -> Timestamp:
    """An instant so many days from now."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) + timedelta(days=days))
    return stamp


def schedule(case: UUID) -> pb.ScheduleMeetingRequest:
    return pb.ScheduleMeetingRequest(
        case_id=str(case), starts_at=at(14), ends_at=at(14.1), location="Long room", purpose="To understand together."
    )


def invite(meeting: str, agency: str = AUTHORITY, **more: Any) -> pb.InviteAgencyRequest:
    kind = more.get("attendee_kind", records.ATTENDEE_KIND_PROFESSIONAL)
    return pb.InviteAgencyRequest(meeting_id=meeting, agency=agency, attendee_kind=kind, role="social worker")


def sheet(*kinds: str) -> list[records.Attendance]:
    return [
        records.Attendance(
            kind=records.AttendeeKind.Value(f"ATTENDEE_KIND_{kind}"), name=f"An Invented {kind}", role="r"
        )
        for kind in kinds
    ]


def hold(meeting: RecordRef, **more: Any) -> pb.HoldMeetingRequest:
    values = {
        "attendance": sheet("PSYCHOLOGIST", "CASE_MANAGER"),
        "circulation_statement": "To the agencies named.",
        "circulation_agencies": [AUTHORITY],
        "follow_ups": [records.FollowUp(at=at(60), location="Here")],
    }
    return pb.HoldMeetingRequest(meeting_id=meeting.record_id, expected_version=meeting.version, **{**values, **more})


def entry(text: str = "Mat. Gran dies", *, free: bool = True, **more: Any) -> records.TimelineEntry:
    declared = FreeText(text=text, declaration=ProtectedDeclaration()) if free else FreeText(text=text)
    values: dict[str, Any] = {
        "kind": records.TIMELINE_KIND_LOSS,
        "period": PartialPeriod(start=PartialDate(year=2013, month=10), as_written="Oct."),
        "certainty": records.CERTAINTY_KNOWN,
        "contributed_by_agency": AUTHORITY,
    }
    return records.TimelineEntry(text=declared, **{**values, **more})


def today() -> Date:
    now = datetime.now(UTC)
    return Date(year=now.year, month=now.month, day=now.day)


@dataclass
class CaseWay:
    """One case, as far as it has come."""

    service: Formulation
    child: UUID
    case: UUID

    @classmethod
    def of(cls, service: Formulation, state: str = "ACCEPTED", yot: str = "eastvale") -> "CaseWay":
        return cls(service, *service.others.case(state, yot))

    async def scheduled(self) -> RecordRef:
        return (await self.service.person("case-manager", "ScheduleMeeting", schedule(self.case))).ref

    async def invited(self, meeting: RecordRef, agency: str = AUTHORITY) -> RecordRef:
        return (await self.service.person("case-manager", "InviteAgency", invite(meeting.record_id, agency))).ref

    async def held(self) -> RecordRef:
        meeting = await self.scheduled()
        self.begun()
        return (await self.service.person("senior-practitioner", "HoldMeeting", hold(meeting))).ref

    def begun(self) -> None:
        """Two weeks later: what was scheduled has begun."""
        self.service.clock.ahead = timedelta(days=14.05)

    async def drafted(self, meeting: RecordRef) -> RecordRef:
        request = pb.DraftReportRequest(meeting_id=meeting.record_id, document=PDF)
        return (await self.service.psychologist("DraftReport", request)).ref

    async def checked(self, draft: RecordRef, person: str, corrections: str = "") -> RecordRef:
        request = pb.CheckReportRequest(
            draft_id=draft.record_id, expected_version=draft.version, corrections=corrections
        )
        return (await self.service.person(person, "CheckReport", request)).ref

    async def final(self) -> RecordRef:
        draft = await self.drafted(await self.held())
        draft = await self.checked(await self.checked(draft, "case-manager"), "senior-practitioner")
        return (await self.service.psychologist("FinaliseReport", finalise(draft))).ref

    async def circulated(self) -> RecordRef:
        report = await self.final()
        return (await self.service.person("case-manager", "CirculateReport", circulate(report))).ref


def finalise(draft: RecordRef) -> pb.FinaliseReportRequest:
    return pb.FinaliseReportRequest(draft_id=draft.record_id, expected_version=draft.version, document=PDF)


def circulate(report: RecordRef, *agencies: str) -> pb.CirculateReportRequest:
    return pb.CirculateReportRequest(
        report_id=report.record_id, expected_version=report.version, agencies=agencies or [AUTHORITY]
    )
