"""Which signatures a consent needs, and whether they are there (checklist 117 to 124)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.dates import age_on, day_of
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region_parts import Consent as ConsentRule

CHILD = records.SIGNATORY_CAPACITY_CHILD
PARENT = records.SIGNATORY_CAPACITY_PARENTAL_RESPONSIBILITY
FORM = records.INSTRUMENT_GENERAL_FORM
LEAFLET = records.INSTRUMENT_ECM_LEAFLET


@dataclass(frozen=True, slots=True)
class Terms:
    """What the signatures are held against. `recorder` is the subject of who records them."""

    rule: ConsentRule
    languages: Sequence[str]
    birth: date
    today: date
    recorder: str


def check_instruments(instruments: Sequence[records.SignedInstrument], terms: Terms) -> None:
    """Both instruments once, each dated, scanned, in a language or with an interpreter, the leaflet's version known.

    MISSING_VALUE, INVALID_VALUE or SIGNATURES_INCOMPLETE, naming what lacks.
    """
    found = sorted(one.instrument for one in instruments)
    if found != sorted((FORM, LEAFLET)):
        raise _incomplete("Both instruments are needed, once each: the general form and the ECM leaflet.")
    for one in instruments:
        _check_one(one, terms)


def check_signatures(
    instruments: Sequence[records.SignedInstrument], waiver: records.SecondSignatureWaiver, terms: Terms
) -> int:
    """The child's age at signing, where the signatures suffice; SIGNATURES_INCOMPLETE says which is missing.

    The child signs both. Under the region's age a holder of parental
    responsibility signs both too, unless the case does without (123).
    """
    ages = [_child_age(one, terms) for one in instruments]
    for one, age in zip(instruments, ages, strict=True):
        if needs_second(age, terms.rule) and not _has(one, PARENT) and not _waived(one, waiver, terms):
            raise _incomplete(
                f"Under {terms.rule.second_signature_under} a holder of parental responsibility signs "
                f"{_word(one)} too, or the case does without (waiver). A carer's signature doesn't suffice."
            )
    return min(ages)


def needs_second(age: int, rule: ConsentRule) -> bool:
    """Whether the region wants a second signature at that age; it can turn this off."""
    return rule.second_signature_required and age < rule.second_signature_under


def may_close(by: records.SignatoryCapacity.ValueType, consent: records.Consent, rule: ConsentRule) -> bool:
    """Whether this signatory's withdrawal closes: the child's always, a parent's where it was needed and signed."""
    if by == CHILD:
        return True
    signed = any(_has(one, PARENT) for one in consent.instruments)
    return by == PARENT and signed and needs_second(consent.age_at_signing, rule)


def _check_one(one: records.SignedInstrument, terms: Terms) -> None:
    field = f"instruments.{_word(one)}"
    versions = terms.rule.leaflet_versions
    if one.instrument == LEAFLET and versions and one.leaflet_version not in versions:
        raise _invalid(f"The leaflet's version must be one of: {', '.join(versions)}.", f"{field}.leaflet_version")
    if not one.language:
        raise _missing(f"{field}.language")
    if one.language not in terms.languages and not one.interpreter:
        raise _invalid("In a language that the region doesn't have, an interpreter is needed.", f"{field}.interpreter")
    if not one.scan.content:
        raise _missing(f"{field}.scan")
    for signature in one.signatures:
        _check_signature(signature, terms, f"{field}.signatures")


def _check_signature(signature: records.Signature, terms: Terms, field: str) -> None:
    if not signature.capacity:
        raise _missing(f"{field}.capacity")
    if not signature.name.strip():
        raise _missing(f"{field}.name")
    if signature.capacity == PARENT and not signature.parental_responsibility:
        raise _missing(f"{field}.parental_responsibility")
    day = day_of(signature.signed_on, f"{field}.signed_on")
    if not terms.birth <= day <= terms.today:
        raise _invalid("It can't have been signed before the child's birth or after today.", f"{field}.signed_on")


def _child_age(one: records.SignedInstrument, terms: Terms) -> int:
    days = [day_of(s.signed_on, "signed_on") for s in one.signatures if s.capacity == CHILD]
    if not days:
        raise _incomplete(f"The child's signature is missing on {_word(one)}.")
    return age_on(terms.birth, min(days))


def _has(one: records.SignedInstrument, capacity: records.SignatoryCapacity.ValueType) -> bool:
    return any(signature.capacity == capacity for signature in one.signatures)


def _waived(one: records.SignedInstrument, waiver: records.SecondSignatureWaiver, terms: Terms) -> bool:
    if not waiver.reason:
        return False
    if not waiver.approver:
        raise _missing("waiver.approver")
    if waiver.approver == terms.recorder:
        raise DomainError(
            Reason.SECOND_PERSON_REQUIRED, "Who records a waiver can't approve it.", field="waiver.approver"
        )
    if waiver.reason == records.WAIVER_REASON_COMPETENT_CHILD and not _competent(one):
        raise _incomplete(f"The waiver says that the child is competent; {_word(one)} has no such assessment.")
    return True


def _competent(one: records.SignedInstrument) -> bool:
    return any(s.capacity == CHILD and s.competence == records.COMPETENCE_COMPETENT for s in one.signatures)


def _word(one: records.SignedInstrument) -> str:
    return "leaflet" if one.instrument == LEAFLET else "general_form"


def _incomplete(message: str) -> DomainError:
    return DomainError(Reason.SIGNATURES_INCOMPLETE, message, field="instruments")


def _invalid(message: str, field: str) -> DomainError:
    return DomainError(Reason.INVALID_VALUE, message, field=field)


def _missing(field: str) -> DomainError:
    return DomainError(Reason.MISSING_VALUE, f"{field} is missing.", field=field)
