"""Who must sign what (checklist 117 to 124)."""

from datetime import date
from typing import Any

import pytest

from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.signatures import check_instruments, check_signatures
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region_parts import Consent as ConsentRule
from unit.consent.builders import RULE, instruments, signature, terms

NONE = records.SecondSignatureWaiver()
CHILD, PARENT, CARER = signature("CHILD"), signature("PARENTAL_RESPONSIBILITY"), signature("CARER")
SIXTEEN = date(2010, 6, 1)
FIFTEEN = date(2010, 6, 2)


def refused(
    signed: list[records.SignedInstrument], waiver: records.SecondSignatureWaiver = NONE, **more: Any
) -> DomainError:
    with pytest.raises(DomainError) as caught:
        held = terms(**more)
        check_instruments(signed, held)
        check_signatures(signed, waiver, held)
    return caught.value


def test_under_sixteen_child_and_parent_sign() -> None:
    assert check_signatures(instruments(CHILD, PARENT), NONE, terms()) == 14


@pytest.mark.parametrize("signatures", [(CHILD,), (CHILD, CARER), (PARENT,), (PARENT, CARER), ()])
def test_under_sixteen_nothing_less_suffices(signatures: tuple[records.Signature, ...]) -> None:
    assert refused(instruments(*signatures)).reason is Reason.SIGNATURES_INCOMPLETE


def test_sixteen_is_reached_on_the_birthday_itself() -> None:
    assert check_signatures(instruments(CHILD), NONE, terms(SIXTEEN)) == 16
    assert refused(instruments(CHILD), birth=FIFTEEN).reason is Reason.SIGNATURES_INCOMPLETE


def test_age_counts_at_signing_not_at_recording() -> None:
    earlier = signature("CHILD", signed_on=date(2026, 5, 31))
    assert refused(instruments(earlier), birth=SIXTEEN).reason is Reason.SIGNATURES_INCOMPLETE


def test_each_instrument_needs_its_own_signatures() -> None:
    signed = instruments(CHILD, PARENT)
    del signed[1].signatures[1]
    assert "leaflet" in refused(signed).message


@pytest.mark.parametrize(
    "how", [records.PARENTAL_RESPONSIBILITY_CARE_ORDER, records.PARENTAL_RESPONSIBILITY_COURT_ORDER]
)
def test_parental_responsibility_may_be_held_by_an_order(how: Any) -> None:
    holder = signature("PARENTAL_RESPONSIBILITY", parental_responsibility=how)
    assert check_signatures(instruments(CHILD, holder), NONE, terms()) == 14


def test_a_region_can_turn_the_second_signature_off() -> None:
    off = ConsentRule(second_signature_required=False)
    assert check_signatures(instruments(CHILD), NONE, terms(rule=off)) == 14


def test_a_case_may_do_without_with_reason_and_somebody_elses_approval() -> None:
    waiver = records.SecondSignatureWaiver(reason=records.WAIVER_REASON_UNSAFE_TO_SEEK, approver="operational-manager")
    assert check_signatures(instruments(CHILD), waiver, terms()) == 14


def test_who_records_a_waiver_cant_approve_it() -> None:
    waiver = records.SecondSignatureWaiver(reason=records.WAIVER_REASON_NOT_REACHABLE, approver="case-manager")
    assert refused(instruments(CHILD), waiver).reason is Reason.SECOND_PERSON_REQUIRED


def test_a_competent_child_needs_the_assessment() -> None:
    waiver = records.SecondSignatureWaiver(reason=records.WAIVER_REASON_COMPETENT_CHILD, approver="supervisor")
    assert refused(instruments(CHILD), waiver).reason is Reason.SIGNATURES_INCOMPLETE
    assessed = signature("CHILD", competence=records.COMPETENCE_COMPETENT)
    assert check_signatures(instruments(assessed), waiver, terms()) == 14


def test_a_waiver_never_stands_in_for_the_child() -> None:
    waiver = records.SecondSignatureWaiver(reason=records.WAIVER_REASON_UNSAFE_TO_SEEK, approver="supervisor")
    assert refused(instruments(PARENT), waiver).reason is Reason.SIGNATURES_INCOMPLETE


@pytest.mark.parametrize(
    ("leaflet", "reason", "field"),
    [
        ({"leaflet_version": "ecm-leaflet-0"}, Reason.INVALID_VALUE, "instruments.leaflet.leaflet_version"),
        ({"language": ""}, Reason.MISSING_VALUE, "instruments.leaflet.language"),
        ({"language": "pl"}, Reason.INVALID_VALUE, "instruments.leaflet.interpreter"),
        ({"scan": None}, Reason.MISSING_VALUE, "instruments.leaflet.scan"),
    ],
)
def test_each_instrument_is_whole(leaflet: dict[str, Any], reason: Reason, field: str) -> None:
    error = refused(instruments(CHILD, PARENT, **leaflet))
    assert (error.reason, error.field) == (reason, field)


def test_another_language_goes_with_an_interpreter() -> None:
    check_instruments(instruments(CHILD, PARENT, language="pl", interpreter=True), terms())


def test_both_instruments_are_needed_once_each() -> None:
    form = instruments(CHILD, PARENT)[0]
    assert refused([form]).reason is Reason.SIGNATURES_INCOMPLETE
    assert refused([form, form]).reason is Reason.SIGNATURES_INCOMPLETE


@pytest.mark.parametrize("day", [date(2026, 6, 3), date(2012, 5, 31)])
def test_nobody_signs_after_today_or_before_birth(day: date) -> None:
    assert refused(instruments(signature("CHILD", signed_on=day), PARENT)).reason is Reason.INVALID_VALUE


def test_how_parental_responsibility_is_held_is_said() -> None:
    silent = signature("PARENTAL_RESPONSIBILITY", parental_responsibility=records.PARENTAL_RESPONSIBILITY_UNSPECIFIED)
    assert refused(instruments(CHILD, silent)).field == "instruments.general_form.signatures.parental_responsibility"


def test_the_example_rule_is_the_guidances() -> None:
    assert (RULE.second_signature_under, RULE.second_signature_required) == (16, True)
