"""Periods, entries, meetings, invitations, clinical records: values in and out of bounds."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from ecm.api.common.v1.values_pb2 import Date, Document, FreeText, PartialPeriod, ProtectedDeclaration
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.api.formulation.v1 import formulation_service_pb2 as pb
from ecm.formulation.model import clinical, contributions, invitations, meetings
from ecm.formulation.model.authors import check_leads, clinical_author
from ecm.formulation.model.periods import check_period, in_order
from ecm.formulation.model.timeline import check_entry
from ecm.formulation.model.values import free_of_protected
from ecm.kit.errors import DomainError, Reason
from unit.formulation.builders import NOW, PSYCHOLOGIST, TODAY, day, entry, partner, periods, point, region, span, stamp


def reason(call: Callable[..., Any], *arguments: Any) -> Reason | None:
    """Why the call is refused; None where it isn't."""
    try:
        call(*arguments)
    except DomainError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (point(2013), None),
        (point(2012, 2, 29), None),
        (span(None, day(2014)), None),
        (span(day(2013), None), None),
        (span(None, None, "always"), None),
        (span(day(2014), day(2014)), None),
        (span(day(2014, 6), day(2014)), None),
        (span(day(2015), day(2030)), None),
        (point(2013, 0, 3), Reason.INVALID_VALUE),
        (point(2013, 2, 29), Reason.INVALID_VALUE),
        (point(2013, 13), Reason.INVALID_VALUE),
        (point(1899), Reason.INVALID_VALUE),
        (point(2027), Reason.INVALID_VALUE),
        (PartialPeriod(as_written="once"), Reason.MISSING_VALUE),
        (PartialPeriod(start=day(2013), end=day(2014)), Reason.INVALID_VALUE),
        (span(day(2014), day(2013)), Reason.INVALID_VALUE),
        (span(day(2014, 6), day(2014, 5)), Reason.INVALID_VALUE),
        (PartialPeriod(start=day(2013), as_written="x" * 101), Reason.TOO_LARGE),
    ],
)
def test_periods(period: PartialPeriod, expected: Reason | None) -> None:
    assert reason(check_period, period, TODAY) is expected


@given(periods())
def test_every_period_that_can_be_is_taken_and_stays_as_it_is(period: PartialPeriod) -> None:
    before = period.SerializeToString(deterministic=True)
    check_period(period, TODAY.replace(year=2027))
    assert period.SerializeToString(deterministic=True) == before
    first, last = in_order(period)
    assert first <= last or period.span


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"kind": 0}, Reason.MISSING_VALUE),
        ({"kind": 99}, Reason.INVALID_VALUE),
        ({"certainty": 0}, Reason.MISSING_VALUE),
        ({"contributed_by_agency": ""}, Reason.MISSING_VALUE),
        ({"contributed_by_agency": "nobody"}, Reason.INVALID_VALUE),
    ],
)
def test_entries(change: dict[str, Any], expected: Reason | None) -> None:
    assert reason(check_entry, entry("Fell", point(2013), **change), region(), TODAY) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("  ", Reason.MISSING_VALUE), ("x" * 501, Reason.TOO_LARGE), ("a\x00b", Reason.INVALID_VALUE), ("Dĵr\n2", None)],
)
def test_words_of_entries(text: str, expected: Reason | None) -> None:
    assert reason(check_entry, entry(text, point(2013)), region(), TODAY) is expected


def test_undeclared_counts_as_holding_all() -> None:
    free = FreeText(text="x", declaration=ProtectedDeclaration())
    holding = FreeText(text="x", declaration=ProtectedDeclaration(holds=[1]))
    assert free_of_protected([free, free])
    assert free_of_protected([])
    assert not free_of_protected([free, holding])
    assert not free_of_protected([free, FreeText(text="x")])


def schedule(**more: Any) -> pb.ScheduleMeetingRequest:
    times = {"starts_at": stamp(NOW + timedelta(days=7)), "ends_at": stamp(NOW + timedelta(days=7, hours=2))}
    return pb.ScheduleMeetingRequest(**{"purpose": "To understand.", **times, **more})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"purpose": ""}, Reason.MISSING_VALUE),
        ({"starts_at": None}, Reason.MISSING_VALUE),
        ({"starts_at": stamp(NOW - timedelta(days=1))}, Reason.INVALID_VALUE),
        ({"ends_at": stamp(NOW + timedelta(days=7))}, Reason.INVALID_VALUE),
    ],
)
def test_a_meetings_date(change: dict[str, Any], expected: Reason | None) -> None:
    assert reason(meetings.scheduled, schedule(**change), [], NOW) is expected


def test_a_second_meeting_is_reconvened_after_the_first() -> None:
    held = records.Meeting(state=records.MEETING_STATE_HELD)
    open_ = records.Meeting(state=records.MEETING_STATE_SCHEDULED)
    assert meetings.scheduled(schedule(), [held], NOW).reconvened
    assert not meetings.scheduled(schedule(), [records.Meeting(state=records.MEETING_STATE_CANCELLED)], NOW).reconvened
    assert reason(meetings.scheduled, schedule(), [open_], NOW) is Reason.ILLEGAL_TRANSITION


def test_whom_a_meeting_invites() -> None:
    meeting = records.Meeting(state=records.MEETING_STATE_SCHEDULED)
    professional = records.ATTENDEE_KIND_PROFESSIONAL

    def invite(agency: str, kind: "records.AttendeeKind.ValueType", *standing: str) -> Reason | None:
        request = pb.InviteAgencyRequest(agency=agency, attendee_kind=kind)
        invited = [records.Invitation(agency=name) for name in standing]
        return reason(invitations.invited, request, meeting, invited, region())

    assert invite("la-eastvale", professional) is None
    assert invite("la-eastvale", professional, "la-eastvale") is Reason.ALREADY_EXISTS
    assert invite("nobody", professional) is Reason.INVALID_VALUE
    assert invite("la-eastvale", records.ATTENDEE_KIND_CHILD) is Reason.ATTENDEE_REFUSED
    assert invite("la-eastvale", records.ATTENDEE_KIND_FAMILY) is Reason.ATTENDEE_REFUSED
    assert invite("la-eastvale", records.ATTENDEE_KIND_UNSPECIFIED) is Reason.MISSING_VALUE
    assert invite("la-eastvale", records.ATTENDEE_KIND_CASE_MANAGER) is Reason.INVALID_VALUE


@pytest.mark.parametrize(
    ("invitation", "sheet", "mode"),
    [
        ({}, [], "NO_REPLY"),
        ({"answer": records.INVITATION_ANSWER_ACCEPTED}, [], "NO_REPLY"),
        ({"answer": records.INVITATION_ANSWER_DECLINED}, [], "APOLOGIES"),
        ({"mode": records.CONTRIBUTION_MODE_SENT_INFORMATION}, [], "SENT_INFORMATION"),
        ({"answer": records.INVITATION_ANSWER_DECLINED}, [{"agency": "la-eastvale"}], "ATTENDED"),
        ({}, [{"agency": "la-eastvale", "mode": records.CONTRIBUTION_MODE_APOLOGIES}], "APOLOGIES"),
    ],
)
def test_how_an_agency_contributed_in_the_end(invitation: Any, sheet: Any, mode: str) -> None:
    meeting = records.Meeting(attendance=[records.Attendance(**line) for line in sheet])
    closed = invitations.closed_by(records.Invitation(agency="la-eastvale", **invitation), meeting)
    assert closed.mode == records.ContributionMode.Value(f"CONTRIBUTION_MODE_{mode}")


def test_contributions_are_kept_as_sent_and_never_run() -> None:
    meeting = records.Meeting(state=records.MEETING_STATE_HELD)

    def sent(kind: str, *categories: int) -> records.Contribution:
        document = Document(content_type=kind, content=b"x")
        request = pb.ContributeInformationRequest(document=document, categories=categories)  # type: ignore[arg-type]
        return contributions.contributed(request, meeting, "la-eastvale", None, NOW)

    assert not sent("text/plain; charset=utf-8").categories
    assert not sent("text/plain").HasField("author")
    for kind in ("text/html", "image/svg+xml", ""):
        assert reason(sent, kind) is Reason.INVALID_VALUE
    assert reason(sent, "text/plain", 0) is Reason.MISSING_VALUE
    assert reason(sent, "text/plain", 5, 5) is Reason.INVALID_VALUE


def test_four_ages_as_written() -> None:
    four = {f"{aspect}_years": "7.5" for aspect in ("physical", "social", "cognitive", "emotional")}
    on = Date(year=2026, month=11, day=24)

    def mapped(**change: Any) -> Reason | None:
        given = records.DevelopmentalMap(**{**four, "effective_on": on, **change})
        return reason(clinical.mapped, given, PSYCHOLOGIST, TODAY)

    assert mapped() is None
    assert mapped(social_years="0") is None
    assert mapped(social_years="") is Reason.MISSING_VALUE
    for years in ("25.1", "7,5", "7.55", "-1", "seven", "٧"):
        assert mapped(social_years=years) is Reason.INVALID_VALUE
    assert mapped(effective_on=None) is Reason.MISSING_VALUE
    assert mapped(effective_on=Date(year=2026, month=11, day=25)) is Reason.INVALID_VALUE


def test_stages_are_the_regions() -> None:
    def placed(**change: Any) -> Reason | None:
        on = Date(year=2026, month=11, day=1)
        values = {"model": "trm", "model_version": "1", "stage": 3, "effective_on": on, **change}
        return reason(clinical.placed, records.RecoveryStage(**values), PSYCHOLOGIST, region(), TODAY)

    assert placed() is None
    for change in ({"model": "other"}, {"model_version": "2"}, {"stage": 0}, {"stage": 7}):
        assert placed(**change) is Reason.INVALID_VALUE


def test_recommendations_have_an_order_and_keys_that_stay() -> None:
    def item(sequence: int, **more: Any) -> records.Recommendation:
        return records.Recommendation(**{"what": FreeText(text="x"), "who": "y", "sequence": sequence, **more})

    def recommended(*items: records.Recommendation) -> records.Recommendations:
        return clinical.recommended(records.Recommendations(items=items), PSYCHOLOGIST, lambda: "new")

    made = recommended(item(2, key="second"), item(1))
    assert [(each.sequence, each.key) for each in made.items] == [(1, "new"), (2, "second")]
    assert reason(recommended) is Reason.MISSING_VALUE
    assert reason(recommended, item(1, who="")) is Reason.MISSING_VALUE
    assert reason(recommended, item(0)) is Reason.INVALID_VALUE
    assert reason(recommended, item(1), item(1)) is Reason.INVALID_VALUE


def test_clinical_authors_are_registered() -> None:
    assert clinical_author(partner(), region()) == PSYCHOLOGIST
    for principal in (partner(practitioner=""), partner(practitioner="somebody"), partner("la-eastvale")):
        assert reason(clinical_author, principal, region()) is Reason.AUTHOR_REQUIRED


def test_the_regions_only_psychology_service_leads_and_of_several_the_invited() -> None:
    second = {"id": "other-psychology", "name": "Other", "kind": "psychology"}
    two = region().model_copy(update={"agencies": [*region().agencies, region().agencies[2].model_copy(update=second)]})
    invited = [records.Invitation(agency="other-psychology")]
    assert reason(check_leads, "nhs-psychology", [], region(), "case") is None
    assert reason(check_leads, "nhs-psychology", invited, two, "case") is Reason.NOT_FOUND
    assert reason(check_leads, "other-psychology", invited, two, "case") is None


def test_a_meeting_is_held_once_it_has_begun() -> None:
    meeting = records.Meeting(state=records.MEETING_STATE_SCHEDULED, starts_at=stamp(NOW))
    assert reason(meetings.check_begun, meeting, NOW) is None
    with pytest.raises(DomainError, match="begins at 2026-11-24 12:00 UTC") as refused:
        meetings.held(meeting, pb.HoldMeetingRequest(), region(), NOW - timedelta(milliseconds=1))
    assert refused.value.reason is Reason.ILLEGAL_TRANSITION
