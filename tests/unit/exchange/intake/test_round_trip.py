"""What is read can be written: a client that sends back what it got says the same."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import CHANGE_CREATED, RecordVersion
from ecm.api.common.v1.values_pb2 import Date, Document, FreeText, ProtectedDeclaration
from ecm.api.formulation.v1 import formulation_records_pb2 as records
from ecm.exchange.intake.strict_json import parse
from ecm.exchange.mapping import View, map_record
from ecm.exchange.projection.directory import mapping_context
from unit.exchange.intake.posted import CHILD, MEETING, PDF, command, region, seen, writer

AUTHOR = writer().author
FREE = ProtectedDeclaration()
DAY = Date(year=2026, month=11, day=20)


def served(kind: str, content: Message) -> dict[str, object]:
    version = RecordVersion(
        record_id=str(UUID(int=70)),
        child_id=str(CHILD),
        kind=kind,
        version=1,
        change=CHANGE_CREATED,
        yot="eastvale",
        recorded_agency="nhs-psychology",
    )
    version.recorded_at.FromDatetime(datetime(2026, 11, 20, tzinfo=UTC))
    version.content.Pack(content)
    first = map_record(version, mapping_context(region()))[0]
    return parse(json.dumps(first.renditions[View.FULL]).encode())


def sent_back(kind, content, interaction="create"):
    resource = served(kind, content)
    updated = seen(_Target(str(resource["resourceType"])), kind, UUID(int=70), 1) if interaction == "update" else None
    return command(resource, interaction, updated=updated)[1]


class _Target:
    def __init__(self, kind: str) -> None:
        self.type, self.id = kind, UUID(int=71)


def test_a_developmental_map():
    content = records.DevelopmentalMap(
        physical_years="14",
        social_years="9.5",
        cognitive_years="11",
        emotional_years="6",
        author=AUTHOR,
        effective_on=DAY,
    )
    content_back = sent_back("DEVELOPMENTAL_MAP", content).map
    content.ClearField("author")
    assert content_back == content


@pytest.mark.parametrize("declaration", [None, FREE, ProtectedDeclaration(holds=[1, 3])])
def test_a_stage(declaration):
    words = FreeText(text="Invented words.", declaration=declaration)
    content = records.RecoveryStage(
        model="trm", model_version="1", stage=3, presentation=words, intervention=words, author=AUTHOR, effective_on=DAY
    )
    content_back = sent_back("RECOVERY_STAGE", content).stage
    content.ClearField("author")
    assert content_back == content


@pytest.mark.parametrize("declaration", [None, FREE])
def test_recommendations(declaration):
    items = [
        records.Recommendation(
            key=key, what=FreeText(text=f"Invented {key}", declaration=declaration), who="mentor", sequence=n
        )
        for n, key in enumerate(("r1", "r2"), 1)
    ]
    content = records.Recommendations(items=items, author=AUTHOR)
    assert list(sent_back("RECOMMENDATIONS", content, "update").recommendations.items) == items


@pytest.mark.parametrize("declaration", [None, FREE, ProtectedDeclaration(holds=[2])])
def test_a_draft(declaration):
    document = Document(
        content_type="application/pdf", title="Report", content=PDF, language="en", declaration=declaration
    )
    content = records.ReportDraft(
        state=records.REPORT_DRAFT_STATE_DRAFTED, document=document, meeting_id=str(MEETING), author=AUTHOR
    )
    request = sent_back("REPORT_DRAFT", content, "update")
    assert request.document == document
    assert request.meeting_id == str(MEETING)


def test_numbers_are_kept_as_written():
    content = records.DevelopmentalMap(physical_years="7.5", effective_on=DAY, author=AUTHOR)
    quantity = served("DEVELOPMENTAL_MAP", content)["component"][0]["valueQuantity"]  # type: ignore[index]
    assert quantity["value"] == Decimal("7.5")
