"""What each write becomes."""

from datetime import date

import pytest

from ecm.api.common.v1.values_pb2 import Category, Date, ProtectedKind
from ecm.api.formulation.v1.formulation_records_pb2 import InvitationAnswer
from ecm.exchange.intake.elements import Target
from ecm.exchange.intake.write_table import TABLE, WRITABLE
from ecm.exchange.mapping import codes
from unit.exchange.intake.posted import (
    APPOINTMENT,
    CASE,
    COUNCIL,
    INVITATION,
    MEETING,
    PDF,
    REPORT,
    SERVICE_REQUEST,
    UUID,
    activity,
    age,
    command,
    concept,
    contribution,
    developmental_map,
    holds,
    plan,
    report,
    response,
    seen,
    stage,
)


def draft(kind="REPORT_DRAFT", version=3):
    return seen(Target("DocumentReference", UUID(REPORT)), kind, UUID(int=90), version)


def test_every_row_has_a_route():
    assert set(WRITABLE) == {
        ("create", "AppointmentResponse"), ("create", "DocumentReference"), ("update", "DocumentReference"),
        ("create", "Observation"), ("create", "CarePlan"), ("update", "CarePlan"),
    }  # fmt: skip
    assert all(row.by or row.rpc in ("AnswerInvitation", "ContributeInformation") for row in TABLE)


@pytest.mark.parametrize(
    "actor", [{"identifier": {"system": codes.ODS, "value": "XLA01"}}, {"identifier": {"value": COUNCIL}}]
)
def test_an_answer_to_an_invitation(actor):
    row, request = command(response(actor=actor, participantStatus="declined"), client=COUNCIL)
    assert row.rpc == "AnswerInvitation"
    assert not row.clinical
    assert request.invitation_id == str(INVITATION)
    assert request.answer == InvitationAnswer.INVITATION_ANSWER_DECLINED
    assert request.comment == "An invented comment."


def test_a_contribution_without_a_declaration_declares_nothing():
    row, request = command(contribution(), client=COUNCIL)
    assert (row.rpc, row.clinical) == ("ContributeInformation", False)
    assert request.meeting_id == str(MEETING)
    assert request.document.content == PDF
    assert not request.document.HasField("declaration")
    assert list(request.categories) == []


def test_a_contribution_declares_what_it_holds_and_what_it_is_about():
    posted = contribution(extension=holds("address", "school"), category=[concept(codes.CATEGORY, "education")])
    _, request = command(posted, client=COUNCIL)
    assert set(request.document.declaration.holds) == {
        ProtectedKind.PROTECTED_KIND_ADDRESS, ProtectedKind.PROTECTED_KIND_SCHOOL,
    }  # fmt: skip
    assert list(request.categories) == [Category.CATEGORY_EDUCATION]


def test_a_developmental_map_keeps_its_decimals_as_written():
    from decimal import Decimal

    ages = [age("physical", 14), age("social", Decimal("9.0")), age("cognitive", Decimal("11.5")), age("emotional", 0)]
    row, request = command(developmental_map(component=ages))
    assert (row.rpc, row.clinical, request.case_id) == ("RecordDevelopmentalMap", True, str(CASE))
    content = request.map
    written = [content.physical_years, content.social_years, content.cognitive_years, content.emotional_years]
    assert written == ["14", "9.0", "11.5", "0"]
    assert content.effective_on == Date(year=2026, month=11, day=20)


def test_an_instant_is_of_its_day_in_the_region():
    _, request = command(developmental_map(effectiveDateTime="2026-06-30T23:30:00Z"))
    on = request.map.effective_on
    assert date(on.year, on.month, on.day) == date(2026, 7, 1)


def test_a_stage_with_words_that_are_declared_free():
    words = {"code": concept(codes.OBSERVATION, "recovery-underlying-need"), "valueString": "An invented need."}
    row, request = command(stage(3, component=[words], extension=holds("none")))
    placed = request.stage
    assert row.rpc == "PlaceOnRecoveryModel"
    assert (placed.model, placed.model_version, placed.stage) == ("trm", "1", 3)
    assert placed.underlying_need.text == "An invented need."
    assert placed.underlying_need.HasField("declaration")
    assert list(placed.underlying_need.declaration.holds) == []
    assert not placed.presentation.text


def test_recommendations_keep_key_and_order():
    later = activity("r9", "Later", extension=[{"url": codes.SEQUENCE, "valuePositiveInt": 2}])
    first = activity("r1", "First", extension=[{"url": codes.SEQUENCE, "valuePositiveInt": 1}])
    row, request = command(plan(activity=[later, first]))
    assert (row.rpc, request.expected_version, request.recommendations_id) == ("RecordRecommendations", 0, "")
    assert [(item.key, item.sequence, item.who) for item in request.recommendations.items] == [
        ("r9", 2, "mentor"), ("r1", 1, "mentor"),
    ]  # fmt: skip


def test_recommendations_are_told_by_their_category_or_none():
    posted = plan(intent="proposal")
    del posted["category"]
    assert command(posted)[0].rpc == "RecordRecommendations"


def test_recommendations_are_changed_at_their_version():
    target = seen(Target("CarePlan", UUID(REPORT)), "RECOMMENDATIONS", UUID(int=91), 4)
    _, request = command(plan(id=REPORT), "update", updated=target)
    assert (request.recommendations_id, request.expected_version) == (str(UUID(int=91)), 4)


def test_a_report_is_drafted_of_the_meeting():
    row, request = command(report())
    assert (row.rpc, request.meeting_id, request.draft_id, request.expected_version) == (
        "DraftReport", str(MEETING), "", 0,
    )  # fmt: skip


def test_a_draft_is_drafted_anew_and_becomes_final():
    row, request = command(report(id=REPORT), "update", updated=draft())
    assert (row.rpc, request.draft_id, request.expected_version) == ("DraftReport", str(UUID(int=90)), 3)
    row, request = command(report("final", id=REPORT, extension=holds("none")), "update", updated=draft())
    assert (row.rpc, request.draft_id, request.expected_version) == ("FinaliseReport", str(UUID(int=90)), 3)
    assert request.document.HasField("declaration")


@pytest.mark.parametrize("interaction", ["create", "update"])
def test_a_report_is_amended_with_a_reason(interaction):
    related = [{"code": "replaces", "target": {"reference": f"DocumentReference/{REPORT}"}}]
    posted = report("amended", relatesTo=related, description="Discussed at the review.", id=REPORT)
    updated = draft("REPORT", 2) if interaction == "update" else None
    row, request = command(posted, interaction, updated=updated)
    assert row.rpc == "AmendReport"
    assert request.reason == "Discussed at the review."
    assert request.expected_version == (2 if updated else 1)


def test_the_case_may_be_named():
    posted = developmental_map(basedOn=[{"reference": f"ServiceRequest/{SERVICE_REQUEST}"}])
    assert command(posted)[0].rpc == "RecordDevelopmentalMap"


def test_references_may_be_absolute_and_versioned():
    posted = response(
        appointment={"reference": f"https://fhir.example.invalid/fhir/Appointment/{APPOINTMENT}/_history/1"}
    )
    assert command(posted, client=COUNCIL)[0].rpc == "AnswerInvitation"
