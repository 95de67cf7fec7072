"""Malformed requests at the running services: each refused by its reason and field, and nothing is stored."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from ecm.api.common.v1.values_pb2 import Date
from ecm.api.consent.v1 import consent_records_pb2 as consents
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals
from ecm.demo import material
from ecm.demo.journey import Journey
from ecm.demo.steps import referring
from ecm.kit.errors import DomainError
from ecm.kit.rpc.status import from_rpc_error
from ecm.local.stack import Stack
from rpc.consent.builders import agreement
from rpc.stored import nothing_stored

MANAGER, UNKNOWN = "case-manager", 99
WRONG_CHECK_DIGIT = "9990000302"


@pytest.fixture(scope="module")
def journey(region: Stack) -> Iterator[Journey]:
    """A child with an open case and a form, no consent sought."""
    made = Journey.on(region)
    made.subject = material.Subject("Cressida", "Mallowbee", "9990000328", f"EV-{uuid.uuid4()}", made.subject.born)
    referring.register(made)
    yield made
    made.close()


def refused(journey: Journey, person: str, method: Any, request: Any, *, service: str) -> DomainError:
    """What the call is refused with; whatever it is, no service stores anything."""
    with nothing_stored(journey.stack, service), pytest.raises(grpc.RpcError) as caught:
        journey.yot.call(person, method, request)
    error = from_rpc_error(caught.value)  # type: ignore[arg-type]
    assert len(error.message) > 15, "words that say what is wrong"
    return error


def enums(descriptor: Descriptor, prefix: str = "") -> Iterator[str]:
    """The path of every enum below a message."""
    for field in descriptor.fields:
        if field.enum_type is not None:
            yield prefix + field.name
        elif field.message_type is not None:
            yield from enums(field.message_type, f"{prefix}{field.name}.")


FORM_ENUMS = sorted(enums(records.ReferralForm.DESCRIPTOR))


def put(message: Message, path: str, value: object) -> None:
    """Sets the field at a dotted path; a repeated one gets the value alone."""
    *outer, name = path.split(".")
    for step in outer:
        message = getattr(message, step)
    if message.DESCRIPTOR.fields_by_name[name].is_repeated:
        getattr(message, name)[:] = [value]
    else:
        setattr(message, name, value)


def test_the_form_has_its_enums() -> None:
    assert len(FORM_ENUMS) >= 7 + 11 + 14
    assert {"gender", "aces.neglect", "complexity.camhs_contact", "reason.declaration.holds"} <= set(FORM_ENUMS)


@pytest.mark.parametrize("number", [UNKNOWN, -1])
@pytest.mark.parametrize("path", FORM_ENUMS)
def test_an_unknown_code_in_the_form(journey: Journey, path: str, number: int) -> None:
    error = save(journey, lambda form: put(form, path, number))
    assert (error.reason, error.field.removesuffix("[0]")) == ("INVALID_VALUE", f"form.{path}")
    assert path.rsplit(".", maxsplit=1)[-1] in error.message


Change = Callable[[records.ReferralForm, "Days"], None]


@dataclass(frozen=True)
class Days:
    """Days that matter to a form."""

    today: Date
    tomorrow: Date
    before_birth: Date


def at(path: str, value: object) -> Change:
    """Sets one field."""
    return lambda form, _: put(form, path, value)


def referred_on(choose: Callable[[Days], Date]) -> Change:
    """Sets the date of referral."""
    return lambda form, days: form.date_of_referral.CopyFrom(choose(days))


NUMBERS: list[tuple[str, Change]] = [
    (f"form.{name}", at(name, value))
    for name, values in {
        "age": (-1, 99, 2**31 - 1),
        "disposal_months": (-1, 121),
        "voluntary_months": (-(2**31), 121),
        "previous_interventions": (-1, 101),
    }.items()
    for value in values
]
DATES: list[tuple[str, Change]] = [
    ("form.date_of_referral", referred_on(lambda days: days.tomorrow)),
    ("form.date_of_referral", referred_on(lambda days: days.before_birth)),
    ("form.date_of_referral", referred_on(lambda _: Date(year=2026, month=2, day=30))),
    ("form.date_of_referral", referred_on(lambda _: Date(year=2025, month=13, day=1))),
    ("form.date_of_referral", referred_on(lambda _: Date())),
    ("form.date_of_referral", referred_on(lambda _: Date(year=-5, month=1, day=1))),
    ("form.disposal_start", lambda form, _: form.disposal_start.CopyFrom(Date(year=2026, month=6, day=31))),
    ("form.disposal_start", lambda form, _: form.disposal_start.CopyFrom(Date(year=9999, month=1, day=1))),
]
TEXTS: list[tuple[str, Change]] = [
    ("form.case_manager_name", at("case_manager_name", "x" * 201)),
    ("form.child_name", at("child_name", "Ann\x00")),
    ("form.child_name", at("child_name", "Ann\nBee")),
    ("form.contact_number", at("contact_number", "ring me")),
    ("form.yot", at("yot", "westmoor")),
    ("form.ethnicity", at("ethnicity", "Q")),
    ("form.ethnicity", at("ethnicity", "a")),
]


@pytest.mark.parametrize(("field", "change"), [*NUMBERS, *DATES, *TEXTS])
def test_a_value_that_cant_be(journey: Journey, field: str, change: Change) -> None:
    error = save(journey, lambda form: change(form, days(journey)))
    assert (error.reason, error.field) == ("INVALID_VALUE", field)
    assert field.rsplit(".", maxsplit=1)[-1] in error.message


def test_a_text_longer_than_any_takes(journey: Journey) -> None:
    error = save(journey, lambda form: put(form, "reason.text", "x" * 20_001))
    assert (error.reason, error.field) == ("TOO_LARGE", "form.reason.text")
    assert "20000" in error.message


def test_no_message_repeats_what_was_sent(journey: Journey) -> None:
    for path, value in (("ethnicity", "Zebedee"), ("contact_number", "Zebedee"), ("yot", "Zebedee")):
        assert "Zebedee" not in save(journey, at_now(path, value)).message


def test_a_good_form_is_stored(journey: Journey) -> None:
    """What the refusals above are held against: the same request without a fault does store something."""
    with pytest.raises(AssertionError), nothing_stored(journey.stack, "referrals"):
        form = material.referral_form(journey.subject, journey.today)
        form.previous_interventions += 1
        journey.command(MANAGER, journey.yot.referrals.SaveReferralForm, saving(journey, form), "form")


def at_now(path: str, value: object) -> Callable[[records.ReferralForm], None]:
    """Sets one field, whatever the day."""
    return lambda form: put(form, path, value)


def days(journey: Journey) -> Days:
    """Today and its neighbours in the region."""
    today, born, one = journey.today, journey.subject.born, timedelta(days=1)
    return Days(material.day(today), material.day(today + one), material.day(born - one))


def saving(journey: Journey, form: records.ReferralForm) -> referrals.SaveReferralFormRequest:
    """A save of the form's next version."""
    version = journey.versions["form"]
    return referrals.SaveReferralFormRequest(case_id=journey.ids["case"], expected_version=version, form=form)


def save(journey: Journey, change: Callable[[records.ReferralForm], None]) -> DomainError:
    """What a save of the form with one fault is refused with."""
    form = material.referral_form(journey.subject, journey.today)
    change(form)
    method = journey.yot.referrals.SaveReferralForm
    return refused(journey, MANAGER, method, saving(journey, form), service="referrals")


CHILDREN: list[tuple[str, str, Callable[[records.Child, Days], None]]] = [
    ("NHS_NUMBER_INVALID", "child.nhs_number", lambda c, _: put(c, "nhs_number", WRONG_CHECK_DIGIT)),
    ("INVALID_VALUE", "child.nhs_number", lambda c, _: put(c, "nhs_number", "999 000 0328")),
    ("INVALID_VALUE", "child.nhs_number", lambda c, _: put(c, "nhs_number", "٩٩٩٠٠٠٠٣٢٨")),
    ("MISSING_VALUE", "child.given_names", lambda c, _: c.ClearField("given_names")),
    ("MISSING_VALUE", "child.family_name", lambda c, _: put(c, "family_name", "  ")),
    ("MISSING_VALUE", "child.date_of_birth", lambda c, _: c.ClearField("date_of_birth")),
    ("MISSING_VALUE", "child.local_case_number", lambda c, _: c.ClearField("local_case_number")),
    ("INVALID_VALUE", "child.local_case_number", lambda c, _: put(c, "local_case_number", "EV 1")),
    ("INVALID_VALUE", "child.date_of_birth", lambda c, days: c.date_of_birth.CopyFrom(days.tomorrow)),
    ("INVALID_VALUE", "child.date_of_birth", lambda c, _: put(c, "date_of_birth.year", 1960)),
    ("INVALID_VALUE", "child.date_of_birth", lambda c, _: put(c, "date_of_birth.day", 31)),
    ("INVALID_VALUE", "child.gender", lambda c, _: put(c, "gender", UNKNOWN)),
    ("INVALID_VALUE", "child.ethnic_category", lambda c, _: put(c, "ethnic_category", "Y")),
    ("INVALID_VALUE", "child.language", lambda c, _: put(c, "language", "English")),
    ("INVALID_VALUE", "child.address.postcode", lambda c, _: put(c, "address.postcode", "zz99 3wz")),
    ("INVALID_VALUE", "child.contacts[0].value", lambda c, _: setattr(c.contacts[0], "value", "none")),
    ("INVALID_VALUE", "child.contacts[0].kind", lambda c, _: setattr(c.contacts[0], "kind", UNKNOWN)),
    ("INVALID_VALUE", "child.school.urn", lambda c, _: put(c, "school.urn", "12")),
]


@pytest.mark.parametrize(("reason", "field", "change"), CHILDREN)
def test_a_child_that_cant_be(
    journey: Journey, reason: str, field: str, change: Callable[[records.Child, Days], None]
) -> None:
    child = material.child(journey.subject)
    child.nhs_number, child.local_case_number = "", f"EV-{uuid.uuid4()}"
    change(child, days(journey))
    request = referrals.RegisterChildRequest(yot="eastvale", child=child)
    error = refused(journey, MANAGER, journey.yot.referrals.RegisterChild, request, service="referrals")
    assert (error.reason, error.field) == (reason, field)


def test_what_isnt_an_id_and_what_isnt_a_key(journey: Journey) -> None:
    method = journey.yot.referrals.OpenCase
    error = refused(journey, MANAGER, method, referrals.OpenCaseRequest(child_id="1; DROP"), service="referrals")
    assert (error.reason, error.field) == ("INVALID_VALUE", "child_id")
    for key in ("short", "with a blank", "x" * 129):
        request = referrals.OpenCaseRequest(child_id=journey.ids["child"])
        with nothing_stored(journey.stack, "referrals"), pytest.raises(grpc.RpcError) as caught:
            journey.yot.call(MANAGER, method, request, key=key)
        assert from_rpc_error(caught.value).reason == "IDEMPOTENCY_KEY_MISSING"  # type: ignore[arg-type]


def test_eligibility_asks_for_the_answer_it_needs(journey: Journey) -> None:
    """Unanswered may be saved; the step that needs the answer names it."""
    made = Journey.on(journey.stack)
    made.subject = material.Subject("Lysander", "Mallowbee", "9990000336", f"EV-{uuid.uuid4()}", journey.subject.born)
    referring.register(made)
    form = material.referral_form(made.subject, made.today)
    form.ClearField("disposal")
    request = saving(made, form)
    made.command(MANAGER, made.yot.referrals.SaveReferralForm, request, "form")
    step = referrals.AssessEligibilityRequest(case_id=made.ids["case"], expected_version=made.versions["case"])
    error = refused(made, "operational-manager", made.yot.referrals.AssessEligibility, step, service="referrals")
    assert (error.reason, error.field) == ("MISSING_VALUE", "form.disposal")
    made.close()


Give = Callable[[consent.GiveConsentRequest, Days], None]
GIVEN: list[tuple[str, str, Give]] = [
    ("INVALID_VALUE", "leaflet.leaflet_version", lambda r, _: put(r.instruments[1], "leaflet_version", "ecm-9")),
    ("INVALID_VALUE", "leaflet.leaflet_version", lambda r, _: put(r.instruments[1], "leaflet_version", "")),
    ("MISSING_VALUE", "general_form.scan", lambda r, _: r.instruments[0].ClearField("scan")),
    ("MISSING_VALUE", "general_form.language", lambda r, _: put(r.instruments[0], "language", "")),
    ("INVALID_VALUE", "general_form.interpreter", lambda r, _: put(r.instruments[0], "language", "pl")),
    ("MISSING_VALUE", "leaflet.signatures.name", lambda r, _: put(r.instruments[1].signatures[0], "name", " ")),
    (
        "MISSING_VALUE",
        "general_form.signatures.parental_responsibility",
        lambda r, _: put(r.instruments[0].signatures[1], "parental_responsibility", 0),
    ),
    (
        "INVALID_VALUE",
        "general_form.signatures.signed_on",
        lambda r, days: r.instruments[0].signatures[0].signed_on.CopyFrom(days.tomorrow),
    ),
    (
        "INVALID_VALUE",
        "general_form.signatures.signed_on",
        lambda r, _: put(r.instruments[0].signatures[0], "signed_on.month", 13),
    ),
    ("SIGNATURES_INCOMPLETE", "instruments", lambda r, _: r.instruments.pop()),
    ("SIGNATURES_INCOMPLETE", "instruments", lambda r, _: r.instruments[0].signatures.pop(0)),
]
CODES = [
    ("instruments[0].instrument", lambda r: put(r.instruments[0], "instrument", UNKNOWN)),
    ("instruments[1].signatures[0].capacity", lambda r: put(r.instruments[1].signatures[0], "capacity", UNKNOWN)),
    ("instruments[1].signatures[0].competence", lambda r: put(r.instruments[1].signatures[0], "competence", -7)),
    ("waiver.reason", lambda r: put(r, "waiver.reason", UNKNOWN)),
]


def giving(journey: Journey) -> consent.GiveConsentRequest:
    """A consent as it should be."""
    instruments = material.instruments(journey.subject, journey.today)
    return consent.GiveConsentRequest(case_id=journey.ids["case"], instruments=instruments)


@pytest.mark.parametrize(("reason", "field", "change"), GIVEN)
def test_a_consent_that_isnt_one(journey: Journey, reason: str, field: str, change: Give) -> None:
    request = giving(journey)
    change(request, days(journey))
    error = refused(journey, MANAGER, journey.yot.consent.GiveConsent, request, service="consent")
    assert (error.reason, error.field.removeprefix("instruments.")) == (reason, field)


@pytest.mark.parametrize(("field", "change"), CODES)
def test_an_unknown_code_in_a_consent(
    journey: Journey, field: str, change: Callable[[consent.GiveConsentRequest], None]
) -> None:
    request = giving(journey)
    change(request)
    error = refused(journey, MANAGER, journey.yot.consent.GiveConsent, request, service="consent")
    assert (error.reason, error.field) == ("INVALID_VALUE", field)


def test_a_purpose_that_nobody_has(journey: Journey) -> None:
    wanted: consents.Agreement = agreement("nhs-psychology", consent=True)
    wanted.purposes[:] = ["direct-care", "curiosity"]
    request = consent.ProposeAgreementRequest(agreement=wanted)
    error = refused(journey, "administrator", journey.yot.consent.ProposeAgreement, request, service="consent")
    assert (error.reason, error.field) == ("INVALID_VALUE", "agreement.purposes")
    assert "direct-care" in error.message, "it says which there are"
