"""What records of the other services say of a case (checklist 88 to 92, 99, 125)."""

from datetime import UTC, datetime, timedelta

from ecm.api.consent.v1 import consent_records_pb2 as consent
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1 import referrals_records_pb2 as pb
from ecm.referrals.model import progress
from ecm.referrals.model.consents import Standing, standing

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
GIVEN, REFUSED, WITHDRAWN, SUPERSEDED = (
    consent.CONSENT_STATE_GIVEN,
    consent.CONSENT_STATE_REFUSED,
    consent.CONSENT_STATE_WITHDRAWN,
    consent.CONSENT_STATE_SUPERSEDED,
)


def test_a_meeting_is_scheduled_or_held_and_a_cancelled_one_leads_nowhere() -> None:
    meeting = formulation.Meeting(state=formulation.MEETING_STATE_SCHEDULED, starts_at=AT)
    assert progress.of_meeting(meeting) == progress.Progress(pb.CASE_STATE_FORMULATION_SCHEDULED, AT)
    meeting.state = formulation.MEETING_STATE_HELD
    assert progress.of_meeting(meeting) == progress.Progress(pb.CASE_STATE_FORMULATION_HELD, AT)
    meeting.state = formulation.MEETING_STATE_CANCELLED
    assert progress.of_meeting(meeting) is None


def test_a_report_is_shared_while_somebody_has_it() -> None:
    report = formulation.Report(finalised_at=AT)
    assert progress.of_report(report) == progress.Progress(pb.CASE_STATE_REPORT_FINAL, AT)
    later = AT + timedelta(days=2)
    report.circulations.add(agency="la-eastvale", at=later)
    assert progress.of_report(report) == progress.Progress(pb.CASE_STATE_REPORT_SHARED, later)
    report.circulations[0].ended = True
    assert progress.of_report(report).reached == pb.CASE_STATE_REPORT_FINAL


def test_a_draft_is_drafted_then_checked() -> None:
    draft = formulation.ReportDraft(state=formulation.REPORT_DRAFT_STATE_DRAFTED)
    assert progress.of_draft(draft, AT) == progress.Progress(pb.CASE_STATE_REPORT_DRAFTED, AT)
    draft.state = formulation.REPORT_DRAFT_STATE_CHECKED
    assert progress.of_draft(draft, AT) == progress.Progress(pb.CASE_STATE_REPORT_CHECKED, AT)


def test_deny_beats_permit_until_it_is_superseded() -> None:
    given, refused = consent.Consent(state=GIVEN), consent.Consent(state=REFUSED)
    assert standing({}) is Standing.NOT_DECIDED
    assert standing({"a": given}) is Standing.GIVEN
    assert standing({"a": given, "b": refused}) is Standing.DENIED
    later = consent.Consent(state=GIVEN, supersedes="b")
    assert standing({"b": refused, "c": later}) is Standing.GIVEN
    assert standing({"b": consent.Consent(state=SUPERSEDED), "c": given}) is Standing.GIVEN
    taken_back = consent.Consent(state=WITHDRAWN, supersedes="b")
    assert standing({"b": refused, "c": taken_back}) is Standing.DENIED
