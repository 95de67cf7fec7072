"""Dossiers, lines and signatures, obviously invented."""

from datetime import UTC, date, datetime
from typing import Any

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.dossier import Consented, Dossier, Line
from ecm.consent.model.signatures import Terms
from ecm.kit.region_parts import Consent as ConsentRule

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
PSYCHOLOGY, COUNCIL, CUSTODY = "nhs-psychology", "la-eastvale", "custody-northgate"
GIVEN, REFUSED = records.CONSENT_STATE_GIVEN, records.CONSENT_STATE_REFUSED
WITHDRAWN, EXPIRED = records.CONSENT_STATE_WITHDRAWN, records.CONSENT_STATE_EXPIRED
RULE = ConsentRule(second_signature_under=16, leaflet_versions=["ecm-leaflet-1"])


def line(recipient: str, word: str, *, consent: bool = True, circulation: bool = False, **more: Any) -> Line:
    """A line in force; its id says whose and what."""
    sensitive = word == "FAMILY_SENSITIVE"
    return Line(
        line_id=more.pop("line_id", f"{recipient}/{word}"),
        agreement="invented-1",
        recipient=recipient,
        category=values_pb2.Category.Value(f"CATEGORY_{word}"),
        needs_consent=consent,
        needs_circulation=circulation,
        purposes=more.pop("purposes", frozenset({"direct-care"})),
        valid_from=more.pop("valid_from", START),
        third_party_basis="invented-basis" if sensitive else "",
        **more,
    )


def example_lines() -> list[Line]:
    """The example region's: psychology every line with consent; the council invitation, and report by circulation."""
    words = [name.removeprefix("CATEGORY_") for name in values_pb2.Category.keys()[1:]]
    council = [line(COUNCIL, "INVITATION", consent=False), line(COUNCIL, "REPORT", consent=False, circulation=True)]
    return [*(line(PSYCHOLOGY, word) for word in words), *council]


def consented(state: records.ConsentState.ValueType = GIVEN, **more: Any) -> Consented:
    """A consent of the case "case" that names psychology."""
    return Consented(
        consent_id=more.pop("consent_id", "consent"),
        case_id=more.pop("case_id", "case"),
        state=state,
        recipients=more.pop("recipients", frozenset({PSYCHOLOGY})),
        ordinal=more.pop("ordinal", 1),
        **more,
    )


def dossier(*consents: Consented, **more: Any) -> Dossier:
    """A child with one open case."""
    return Dossier(child_id="child", cases=more.pop("cases", {"case": True}), consents=consents, **more)


def terms(birth: date = date(2012, 6, 1), **more: Any) -> Terms:
    """Held against the example region's rule, recorded by the case manager on 2 June 2026."""
    return Terms(
        more.pop("rule", RULE),
        ("en", "cy"),
        birth,
        more.pop("today", date(2026, 6, 2)),
        more.pop("recorder", "case-manager"),
    )


def signature(capacity: str, signed_on: date = date(2026, 6, 1), **more: Any) -> records.Signature:
    """A signature; of a holder of parental responsibility as a parent."""
    made = records.Signature(
        capacity=records.SignatoryCapacity.Value(f"SIGNATORY_CAPACITY_{capacity}"),
        name="Invented Signatory",
        signed_on=values_pb2.Date(year=signed_on.year, month=signed_on.month, day=signed_on.day),
        **more,
    )
    if capacity == "PARENTAL_RESPONSIBILITY" and "parental_responsibility" not in more:
        made.parental_responsibility = records.PARENTAL_RESPONSIBILITY_PARENT
    return made


def instruments(*signatures: records.Signature, **leaflet: Any) -> list[records.SignedInstrument]:
    """Form and leaflet, each with these signatures; `leaflet` overrides the leaflet's fields."""
    scan = values_pb2.Document(content_type="text/plain", title="Scan", content=b"scan")
    both = {"language": "en", "scan": scan, "signatures": signatures}
    back = both | {"leaflet_version": "ecm-leaflet-1"} | leaflet
    return [
        records.SignedInstrument(instrument=records.INSTRUMENT_GENERAL_FORM, **both),
        records.SignedInstrument(instrument=records.INSTRUMENT_ECM_LEAFLET, **back),
    ]
