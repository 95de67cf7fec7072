"""Agreements, safeguarding overrides, and the gates that `formulation` asks at."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.model import agreement, gate, override
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from ecm.kit.region import load_region
from rpc.consent.builders import agreement as proposal
from unit.consent.builders import AT, COUNCIL, PSYCHOLOGY, REFUSED, consented, dossier, example_lines, line

REGION = load_region(Path(__file__).parents[3] / "deploy/regions/example/region.yaml")
TODAY = datetime.now(REGION.zone).date()
IDS = RandomIds()


def proposed(**more: Any) -> records.Agreement:
    wanted = proposal(more.pop("recipient", PSYCHOLOGY), consent=True, **more)
    return agreement.propose(wanted, None, "administrator", REGION, IDS)


def refused(call: Any, *arguments: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        call(*arguments)
    return caught.value


def test_a_proposal_opens_nothing_and_an_approval_does() -> None:
    made = proposed()
    assert agreement.lines_of(made, REGION.zone) == []
    approved = agreement.approve(made, "data-protection-officer", TODAY)
    assert len(agreement.lines_of(approved, REGION.zone)) == 10
    assert agreement.lines_of(agreement.end(approved), REGION.zone) == []


def test_who_proposed_cant_approve() -> None:
    assert refused(agreement.approve, proposed(), "administrator", TODAY).reason is Reason.SECOND_PERSON_REQUIRED


@pytest.mark.parametrize("missing", ["impact_assessment", "review_by"])
def test_approval_needs_an_impact_assessment_and_a_date_of_review(missing: str) -> None:
    made = proposed()
    made.ClearField(missing)  # type: ignore[arg-type]
    error = refused(agreement.approve, made, "data-protection-officer", TODAY)
    assert (error.reason, error.field) == (Reason.MISSING_VALUE, missing)


@pytest.mark.parametrize("field", ["key", "article6", "article9", "statutory_power", "lines", "purposes", "valid_from"])
def test_a_proposal_is_whole(field: str) -> None:
    wanted = proposal(PSYCHOLOGY, consent=True)
    wanted.ClearField(field)  # type: ignore[arg-type]
    assert refused(agreement.propose, wanted, None, "a", REGION, IDS).field == f"agreement.{field}"


def test_family_sensitive_needs_its_own_basis_and_consent() -> None:
    wanted = proposal(PSYCHOLOGY, consent=False)
    assert refused(agreement.propose, wanted, None, "a", REGION, IDS).field == "agreement.lines"


def test_a_line_keeps_its_id_exactly_while_its_conditions_stay() -> None:
    before = proposed()
    wanted = proposal(PSYCHOLOGY, consent=True, key=before.key)
    wanted.lines[3].needs_circulation = True
    after = agreement.propose(wanted, before, "administrator", REGION, IDS)
    kept = [a.line_id == b.line_id for a, b in zip(after.lines, before.lines, strict=True)]
    assert kept == [True] * 3 + [False] + [True] * 6


def test_an_agreements_days_are_the_regions() -> None:
    made = proposed()
    made.valid_from.CopyFrom(values_pb2.Date(year=2026, month=7, day=1))
    made.valid_until.CopyFrom(values_pb2.Date(year=2026, month=7, day=31))
    first = agreement.lines_of(agreement.approve(made, "b", TODAY), REGION.zone)[0]
    assert first.valid_from == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert first.valid_until == datetime(2026, 7, 31, 23, tzinfo=UTC)


def wanted_override(**more: Any) -> records.Override:
    return records.Override(
        recipient=more.pop("recipient", COUNCIL),
        categories=more.pop("categories", [values_pb2.CATEGORY_REFERRAL]),
        reason=more.pop("reason", "An invented reason."),
        threshold=more.pop("threshold", "significant-harm"),
        child_told=more.pop("child_told", True),
        ends_at=stamp(more.pop("ends_at", AT + timedelta(hours=72))),
        **more,
    )


def stamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"recipient": "nobody"}, "override.recipient"),
        ({"categories": []}, "override.categories"),
        ({"reason": " "}, "override.reason"),
        ({"threshold": "a-hunch"}, "override.threshold"),
        ({"child_told": False}, "override.not_told_reason"),
        ({"ends_at": AT + timedelta(hours=72, seconds=1)}, "override.ends_at"),
        ({"ends_at": AT}, "override.ends_at"),
    ],
)
def test_an_override_says_to_whom_what_why_and_until_when(more: dict[str, Any], field: str) -> None:
    assert refused(override.open_override, wanted_override(**more), AT, REGION).field == field


def test_a_renewal_counts_from_now_and_is_to_be_reviewed_again() -> None:
    opened = override.review(override.open_override(wanted_override(), AT, REGION), "supervisor", {"yot-manager"})
    later = AT + timedelta(hours=70)
    renewed = override.renew(opened, stamp(later + timedelta(hours=72)), later, REGION)
    assert (renewed.reviewed_by, renewed.opened_at) == ("", opened.opened_at)
    ended = AT + timedelta(hours=73)
    error = refused(override.renew, opened, stamp(ended + timedelta(hours=1)), ended, REGION)
    assert error.reason is Reason.ILLEGAL_TRANSITION


def test_a_second_person_reviews() -> None:
    opened = override.open_override(wanted_override(), AT, REGION)
    openers = {"yot-manager", "operational-manager"}
    assert refused(override.review, opened, "yot-manager", openers).reason is Reason.SECOND_PERSON_REQUIRED


def test_an_override_opens_when_it_is_opened_whatever_the_request_says() -> None:
    backdated = wanted_override(opened_at=stamp(AT - timedelta(days=400)), reviewed_by="me")
    opened = override.open_override(backdated, AT, REGION)
    assert (opened.opened_at, opened.reviewed_by) == (stamp(AT), "")


@pytest.mark.parametrize("step", [service.GATE_SCHEDULE, service.GATE_HOLD, service.GATE_DRAFT])
def test_the_formulation_waits_for_consent(step: Any) -> None:
    def asked(*consents: Any, **more: Any) -> gate.Answer:
        return gate.check(dossier(*consents, **more), example_lines(), gate.Step("case", step), AT)

    assert asked(consented()) == gate.Answer(True, "", "consent")
    assert not asked().open
    assert "refused" in asked(consented(REFUSED)).reason
    assert "expired" in asked(consented(valid_until=AT)).reason
    assert "in question" in asked(consented(question_reopened=True)).reason
    assert not asked(consented(), cases={"case": False}).open
    assert not asked(consented(case_id="other"), cases={"case": True, "other": True}).open


def test_a_report_is_circulated_to_whom_an_agreement_lets_have_it() -> None:
    def asked(*agencies: str, consents: Any = (), lines: Any = None) -> gate.Answer:
        step = gate.Step("case", service.GATE_CIRCULATE, agencies)
        return gate.check(dossier(*consents), lines or example_lines(), step, AT)

    assert asked(COUNCIL).open
    assert not asked(PSYCHOLOGY).open
    assert asked(PSYCHOLOGY, COUNCIL, consents=(consented(),)).open
    assert "custody" in asked(COUNCIL, "custody-northgate").reason
    assert not asked(COUNCIL, lines=[line(COUNCIL, "REPORT", consent=False, valid_until=AT)]).open
