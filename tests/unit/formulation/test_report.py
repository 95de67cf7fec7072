"""The report's life cycle (checklist 98, 168 to 175, 226)."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.formulation.model import circulation, reports
from ecm.kit.errors import DomainError, Reason
from unit.formulation.builders import NOW, PDF, PSYCHOLOGIST, region

HELD = records.Meeting(state=records.MEETING_STATE_HELD, circulation_agencies=["la-eastvale"])
MEETING = "5f0d0000-0000-4000-8000-000000000001"


def drafted(**more: Any) -> records.ReportDraft:
    return reports.drafted(MEETING, HELD, PDF, PSYCHOLOGIST, more.get("drafts", []))


def checked(draft: records.ReportDraft, by: str, *roles: str, corrections: str = "") -> records.ReportDraft:
    return reports.checked(draft, by, roles or [by], corrections, NOW)


def both() -> records.ReportDraft:
    return checked(checked(drafted(), "case-manager"), "senior-practitioner")


def refused(reason: Reason, call: Any, /, *arguments: Any, **more: Any) -> None:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **more)
    assert caught.value.reason is reason


def test_one_draft_for_each_meeting() -> None:
    refused(Reason.ILLEGAL_TRANSITION, drafted, drafts=[drafted()])


@pytest.mark.parametrize("state", [records.MEETING_STATE_SCHEDULED, records.MEETING_STATE_CANCELLED])
def test_no_report_of_a_meeting_that_wasnt_held(state: "records.MeetingState.ValueType") -> None:
    meeting = records.Meeting(state=state)
    refused(Reason.ILLEGAL_TRANSITION, reports.drafted, MEETING, meeting, PDF, PSYCHOLOGIST, [])


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (Document(content_type="application/pdf", content=b"<html>"), Reason.INVALID_VALUE),
        (Document(content_type="text/plain", content=b"%PDF-"), Reason.INVALID_VALUE),
        (Document(content_type="application/pdf"), Reason.MISSING_VALUE),
        (Document(content_type="application/pdf", content=b"%PDF" + bytes(10 * 1024 * 1024)), Reason.TOO_LARGE),
        (Document(content_type="application/pdf", content=b"%PDF", language="not a language"), Reason.INVALID_VALUE),
    ],
)
def test_a_report_is_a_pdf(document: Document, reason: Reason) -> None:
    refused(reason, reports.drafted, MEETING, HELD, document, PSYCHOLOGIST, [])


def test_two_persons_check_in_two_roles() -> None:
    assert both().state == records.REPORT_DRAFT_STATE_CHECKED
    once = checked(drafted(), "p", "case-manager", "senior-practitioner")
    assert once.state == records.REPORT_DRAFT_STATE_DRAFTED
    refused(Reason.SECOND_PERSON_REQUIRED, checked, once, "p", "senior-practitioner")
    assert len(checked(once, "p", "case-manager", "senior-practitioner").checks) == 1
    refused(Reason.PERMISSION_DENIED, checked, drafted(), "supervisor")


def test_somebody_with_both_roles_takes_the_one_that_is_open() -> None:
    done = checked(checked(drafted(), "case-manager"), "p", "case-manager", "senior-practitioner")
    assert done.state == records.REPORT_DRAFT_STATE_CHECKED


def test_a_correction_holds_the_report_back_until_a_new_draft_is_checked() -> None:
    corrected = checked(checked(drafted(), "case-manager"), "senior-practitioner", corrections="Born in 2012.")
    assert corrected.state == records.REPORT_DRAFT_STATE_DRAFTED
    refused(Reason.ILLEGAL_TRANSITION, reports.final, corrected, "d", PDF, PSYCHOLOGIST, now=NOW)
    assert not reports.drafted_anew(corrected, PDF, PSYCHOLOGIST).checks


def test_a_report_is_amended_once_and_then_its_amendment() -> None:
    report = reports.final(both(), "d", PDF, PSYCHOLOGIST, now=NOW)
    amendment = reports.amendment(report, "r", PDF, PSYCHOLOGIST, reason="A date.", now=NOW)
    assert (amendment.amends_id, amendment.meeting_id, list(amendment.circulations)) == ("r", MEETING, [])
    old = reports.amended(report, "a")
    refused(Reason.ILLEGAL_TRANSITION, reports.amendment, old, "r", PDF, PSYCHOLOGIST, reason="x", now=NOW)
    refused(Reason.MISSING_VALUE, reports.amendment, report, "r", PDF, PSYCHOLOGIST, reason=" ", now=NOW)


def test_a_declaration_stays_as_it_was_given() -> None:
    assert not reports.final(both(), "d", PDF, PSYCHOLOGIST, now=NOW).document.HasField("declaration")


def test_circulation_is_what_the_meeting_agreed() -> None:
    report = reports.final(both(), "d", PDF, PSYCHOLOGIST, now=NOW)
    more: dict[str, Any] = {"by": "case-manager", "now": NOW}
    refused(Reason.CIRCULATION_NOT_AGREED, circulation.circulated, report, HELD, ["nhs-psychology"], region(), **more)
    refused(Reason.INVALID_VALUE, circulation.circulated, report, HELD, ["nobody"], region(), **more)
    refused(Reason.MISSING_VALUE, circulation.circulated, report, HELD, [], region(), **more)
    sent = circulation.circulated(report, HELD, ["la-eastvale"], region(), **more)
    assert circulation.circulated(sent, HELD, ["la-eastvale"], region(), **more) == sent
    ended = circulation.withdrawn(sent, "la-eastvale")
    assert circulation.receiving(ended) == set()
    refused(Reason.INVALID_VALUE, circulation.check_receives, ended, "la-eastvale")
    again = circulation.circulated(ended, HELD, ["la-eastvale"], region(), **more)
    assert circulation.receiving(again) == {"la-eastvale"}


class ReportLife(RuleBasedStateMachine):
    """Whatever is tried in whatever order: nothing becomes final without two clean checks of the very draft."""

    @initialize()
    def draft(self) -> None:
        self.content = drafted()
        self.clean: dict[str, str] = {}
        self.report: records.Report | None = None

    @rule(by=st.sampled_from("abc"), role=st.sampled_from(reports.CHECKERS), corrections=st.sampled_from(["", "x"]))
    def check(self, by: str, role: str, corrections: str) -> None:
        try:
            self.content = checked(self.content, by, role, corrections=corrections)
        except DomainError:
            return
        self.clean.pop(role, None)
        if not corrections:
            self.clean[role] = by

    @rule()
    def draft_anew(self) -> None:
        try:
            self.content = reports.drafted_anew(self.content, PDF, PSYCHOLOGIST)
        except DomainError:
            return
        self.clean = {}

    @rule()
    def finalise(self) -> None:
        due = len(self.clean) == 2 and len(set(self.clean.values())) == 2 and self.report is None
        try:
            self.report = reports.final(self.content, "d", PDF, PSYCHOLOGIST, now=NOW)
            self.content = reports.finalised(self.content, "r")
        except DomainError:
            assert not due
            return
        assert due

    @invariant()
    def final_stays_final(self) -> None:
        final = self.content.state == records.REPORT_DRAFT_STATE_FINALISED
        assert final == (self.report is not None)


TestReportLife = ReportLife.TestCase
TestReportLife.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
