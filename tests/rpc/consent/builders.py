"""Requests to `consent`, obviously invented."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as service

EVERYTHING = tuple(values_pb2.Category.values())[1:]
SIGNED_ON = datetime.now(UTC).date() - timedelta(days=3)


def day(value: date) -> values_pb2.Date:
    """The day as a message."""
    return values_pb2.Date(year=value.year, month=value.month, day=value.day)


def signature(capacity: str, **more: Any) -> records.Signature:
    """A signature of three days ago."""
    made = records.Signature(
        capacity=records.SignatoryCapacity.Value(f"SIGNATORY_CAPACITY_{capacity}"),
        name="Invented Signatory",
        signed_on=day(SIGNED_ON),
        **more,
    )
    if capacity == "PARENTAL_RESPONSIBILITY":
        made.parental_responsibility = records.PARENTAL_RESPONSIBILITY_PARENT
    return made


def instruments(*capacities: str) -> list[records.SignedInstrument]:
    """Both instruments, signed in these capacities."""
    scan = values_pb2.Document(content_type="text/plain", title="Scan", content=b"scan")
    return [
        records.SignedInstrument(
            instrument=kind,
            leaflet_version="ecm-leaflet-1" if kind == records.INSTRUMENT_ECM_LEAFLET else "",
            language="en",
            scan=scan,
            signatures=[signature(capacity) for capacity in capacities],
        )
        for kind in (records.INSTRUMENT_GENERAL_FORM, records.INSTRUMENT_ECM_LEAFLET)
    ]


def give(case_id: str, *capacities: str, **more: Any) -> service.GiveConsentRequest:
    """Both instruments signed by the child and a parent, unless `capacities` says otherwise."""
    signed = instruments(*(capacities or ("CHILD", "PARENTAL_RESPONSIBILITY")))
    return service.GiveConsentRequest(case_id=case_id, instruments=signed, **more)


def ending(by: str = "CHILD") -> records.Ending:
    """Said today."""
    capacity = records.SignatoryCapacity.Value(f"SIGNATORY_CAPACITY_{by}")
    return records.Ending(by=capacity, said_on=day(datetime.now(UTC).date()))


def withdraw(case_id: str, by: str = "CHILD") -> service.WithdrawRequest:
    """A withdrawal."""
    return service.WithdrawRequest(case_id=case_id, ending=ending(by))


def agreement(recipient: str, *, consent: bool, categories: tuple[int, ...] = EVERYTHING, **more: Any) -> Any:
    """An agreement whose every line needs consent, or none does; `circulated` names those that need circulation."""
    circulated = more.pop("circulated", ())
    return records.Agreement(
        key=more.pop("key", f"{recipient}-{uuid4().hex[:6]}"),
        recipient=recipient,
        purposes=["direct-care"],
        valid_from=day(date(2026, 1, 1)),
        article6="public-task",
        article9="health-or-social-care",
        criminal_offence_basis="dpa-2018-schedule-1-part-1",
        statutory_power="invented-act-s1",
        confidentiality_basis="consent",
        impact_assessment="DPIA-INVENTED",
        review_by=day(datetime.now(UTC).date() + timedelta(days=300)),
        lines=[
            records.AgreementLine(
                category=category,
                needs_consent=consent,
                needs_circulation=category in circulated,
                third_party_basis="invented-basis" if category == values_pb2.CATEGORY_FAMILY_SENSITIVE else "",
            )
            for category in categories
        ],
        **more,
    )
