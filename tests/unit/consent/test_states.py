"""The states of a consent, and what a new signature supersedes (checklist 125)."""

from datetime import date
from pathlib import Path

import pytest

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.model import consent as model
from ecm.consent.model.words import StateCode
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import load_region
from unit.consent.builders import RULE, consented, instruments, signature, terms

REGION = load_region(Path(__file__).parents[3] / "deploy/regions/example/region.yaml")
TODAY = date(2026, 6, 2)
BOTH = instruments(signature("CHILD"), signature("PARENTAL_RESPONSIBILITY"))


def given(**more: object) -> records.Consent:
    request = service.GiveConsentRequest(instruments=BOTH, **more)  # type: ignore[arg-type]
    return model.give(records.Consent(state=model.NOT_SOUGHT), request, REGION, terms())


def ending(by: str, on: date = TODAY) -> records.Ending:
    capacity = records.SignatoryCapacity.Value(f"SIGNATORY_CAPACITY_{by}")
    return records.Ending(by=capacity, said_on=values_pb2.Date(year=on.year, month=on.month, day=on.day))


@pytest.mark.parametrize("before", records.ConsentState.values()[1:])
@pytest.mark.parametrize("to", model.STEPS)
def test_only_the_steps_that_are_listed_may_be_taken(before: StateCode, to: StateCode) -> None:
    content = records.Consent(state=before)
    if before in model.STEPS[to]:
        assert model.moved(content, to).state == to
        return
    with pytest.raises(DomainError) as caught:
        model.moved(content, to)
    assert caught.value.reason is Reason.ILLEGAL_TRANSITION


def test_nothing_leaves_superseded_and_nothing_becomes_given_but_by_signing() -> None:
    assert all(model.SUPERSEDED not in froms for froms in model.STEPS.values())
    assert model.STEPS[model.GIVEN] == (model.NOT_SOUGHT, model.SOUGHT)


def test_given_names_the_regions_only_psychology_service_and_the_three_purposes() -> None:
    made = given()
    assert list(made.recipients) == ["nhs-psychology"]
    assert list(made.purposes) == ["needed-information", "best-support", "better-communication"]
    assert made.age_at_signing == 14


def test_consent_names_psychology_alone() -> None:
    with pytest.raises(DomainError) as caught:
        given(recipients=["la-eastvale"])
    assert caught.value.field == "recipients"


@pytest.mark.parametrize("by", ["CHILD", "PARENTAL_RESPONSIBILITY"])
def test_any_required_signatory_closes(by: str) -> None:
    assert model.withdraw(given(), ending(by), RULE, TODAY).state == model.WITHDRAWN


def test_who_wasnt_needed_doesnt_close() -> None:
    alone = model.give(
        records.Consent(state=model.SOUGHT),
        service.GiveConsentRequest(instruments=instruments(signature("CHILD"))),
        REGION,
        terms(date(2009, 1, 1)),
    )
    for content, by in ((alone, "PARENTAL_RESPONSIBILITY"), (given(), "CARER")):
        with pytest.raises(DomainError) as caught:
            model.withdraw(content, ending(by), RULE, TODAY)
        assert caught.value.field == "ending.by"
    assert model.withdraw(alone, ending("CHILD"), RULE, TODAY).state == model.WITHDRAWN


def test_a_refusal_is_the_childs_or_a_needed_parents() -> None:
    sought = records.Consent(state=model.SOUGHT)
    for by, needed in (("CHILD", False), ("CHILD", True), ("PARENTAL_RESPONSIBILITY", True)):
        assert model.refuse(sought, ending(by), TODAY, second_needed=needed).state == model.REFUSED
    for by, needed in (("PARENTAL_RESPONSIBILITY", False), ("CARER", True)):
        with pytest.raises(DomainError) as caught:
            model.refuse(sought, ending(by), TODAY, second_needed=needed)
        assert caught.value.field == "ending.by"


def test_a_parent_whose_signature_was_waived_doesnt_close() -> None:
    waiver = records.SecondSignatureWaiver(reason=records.WAIVER_REASON_UNSAFE_TO_SEEK, approver="supervisor")
    request = service.GiveConsentRequest(instruments=instruments(signature("CHILD")), waiver=waiver)
    waived = model.give(records.Consent(state=model.SOUGHT), request, REGION, terms())
    assert waived.waiver == waiver
    with pytest.raises(DomainError):
        model.withdraw(waived, ending("PARENTAL_RESPONSIBILITY"), RULE, TODAY)


def test_what_has_expired_can_still_be_withdrawn() -> None:
    expired = model.moved(given(), model.EXPIRED)
    assert model.withdraw(expired, ending("CHILD"), RULE, TODAY).state == model.WITHDRAWN


def test_a_no_isnt_said_in_the_future() -> None:
    with pytest.raises(DomainError) as caught:
        model.withdraw(given(), ending("CHILD", date(2026, 6, 3)), RULE, TODAY)
    assert caught.value.field == "ending.said_on"


def test_a_new_yes_names_the_newest_no() -> None:
    older = consented(model.REFUSED, consent_id="older", ordinal=3)
    newest = consented(model.WITHDRAWN, consent_id="newest", ordinal=7)
    assert model.required_supersession([newest, older], "newest") == [newest, older]
    for named in ("", "older", "another"):
        with pytest.raises(DomainError) as caught:
            model.required_supersession([newest, older], named)
        assert caught.value.reason is Reason.SUPERSESSION_REQUIRED
        assert caught.value.metadata == {"supersedes": "newest"}


def test_without_a_no_there_is_nothing_to_name() -> None:
    assert model.required_supersession([], "") == []
    with pytest.raises(DomainError) as caught:
        model.required_supersession([], "another")
    assert caught.value.reason is Reason.INVALID_VALUE


def test_a_corrected_birth_date_reopens_the_question_visibly_and_never_upgrades() -> None:
    request = service.GiveConsentRequest(instruments=instruments(signature("CHILD")))
    sixteen = model.give(records.Consent(state=model.SOUGHT), request, REGION, terms(date(2010, 1, 1)))
    younger = model.recheck(sixteen, terms(date(2012, 1, 1)))
    assert (younger.state, younger.question_reopened) == (model.GIVEN, True)


def test_once_in_question_a_consent_stays_so_until_it_is_given_anew() -> None:
    request = service.GiveConsentRequest(instruments=instruments(signature("CHILD")))
    sixteen = model.give(records.Consent(state=model.SOUGHT), request, REGION, terms(date(2010, 1, 1)))
    assert not model.recheck(sixteen, terms(date(2009, 1, 1))).question_reopened
    younger = model.recheck(sixteen, terms(date(2012, 1, 1)))
    assert model.recheck(younger, terms(date(2010, 1, 1))).question_reopened
    anew = model.give(records.Consent(state=model.SOUGHT), request, REGION, terms(date(2010, 1, 1)))
    assert not anew.question_reopened


def test_until_a_day_includes_the_whole_day_in_the_region() -> None:
    made = given(valid_until=values_pb2.Date(year=2026, month=7, day=12))
    until = model.expiry(made, REGION.zone)
    # British summer time: the 12th is over at 23:00 UTC.
    assert until is not None
    assert until.isoformat() == "2026-07-12T23:00:00+00:00"


def test_lists_leave_the_scans_out() -> None:
    listed = model.without_scans(given())
    assert all(not one.HasField("scan") for one in listed.instruments)
