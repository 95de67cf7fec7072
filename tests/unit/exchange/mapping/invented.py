"""Generated records: any message of ours, field by field, with invented content in every string."""

import string
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

from ecm.api.common.v1.record_pb2 import CHANGE_CREATED, RecordVersion
from ecm.api.common.v1.values_pb2 import Date, PartialDate
from ecm.exchange.mapping import MAPPERS, MappingContext

CHILD_ID = UUID("11111111-1111-4111-8111-111111111111")
CASE_ID = UUID("22222222-2222-4222-8222-222222222222")
RECORD_ID = UUID("33333333-3333-4333-8333-333333333333")
HCPC = "https://fhir.hl7.org.uk/Id/hcpc-number"

CONTEXT = MappingContext(
    region="example",
    identifier_base="https://region.example.invalid/id",
    agency_kinds={
        "yot-eastvale": "youth-offending-team",
        "nhs-psychology": "psychology",
        "la-eastvale": "local-authority",
    },
    yot_agencies={"eastvale": "yot-eastvale"},
    recovery_model=("trm", "1"),
    registrations={(HCPC, "PYL00001"): "nhs-psychology"},
    patient={"resourceType": "Patient", "id": "44444444-4444-4444-8444-444444444444", "birthDate": "2012-06-15"},
)

_WORDS = st.text(alphabet=string.ascii_letters + " äêŵ-'", min_size=0, max_size=12)
_UUIDS = st.sampled_from([RECORD_ID, CASE_ID, CHILD_ID]).map(str)
_AGENCIES = st.sampled_from(["", "nhs-psychology", "la-eastvale", "Invented High School"])
_NAMED: dict[str, st.SearchStrategy[Any]] = {
    "content_type": st.sampled_from(["application/pdf", "image/svg+xml", "text/plain"]),
    "language": st.sampled_from(["", "en", "cy"]),
    "ethnic_category": st.sampled_from(["", "A", "T", "99"]),
    "nhs_number": st.sampled_from(["", "9990000018"]),
    "agency": _AGENCIES,
    "recipients": st.lists(_AGENCIES, max_size=2),
    "parent_ids": st.lists(st.just("child") | _UUIDS, max_size=2),
    "partner_ids": st.lists(_UUIDS, max_size=2),
    "model": st.just("trm"),
    "registration_system": st.just(HCPC),
    "registration": st.sampled_from(["", "PYL00001", "PYL99999"]),
    "key": st.uuids().map(str),
} | {f"{name}_years": st.sampled_from(["", "7", "7.5"]) for name in ("physical", "social", "cognitive", "emotional")}
_DATES = st.dates(min_value=date(1950, 1, 1))


def messages(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Any message of that type: fields set or left out, enums of every value, dates that exist."""
    if kind is Date:
        return _DATES.map(lambda day: Date(year=day.year, month=day.month, day=day.day))
    if kind is PartialDate:
        return st.tuples(_DATES, st.integers(1, 3)).map(_partial)
    if kind is Timestamp:
        return st.integers(1, 4_000_000_000).map(lambda seconds: Timestamp(seconds=seconds))
    fields = {field.name: _field(field) for field in kind.DESCRIPTOR.fields}
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: kind(**values))


def versions(kind: str) -> st.SearchStrategy[RecordVersion]:
    """A version of a record of that kind, as its owner answers it."""
    return messages(MAPPERS[kind][0]).map(lambda content: version(kind, content))


def version(kind: str, content: Message, **changes: Any) -> RecordVersion:
    """The content as version 1 of a record."""
    record_id = CHILD_ID if kind == "CHILD" else RECORD_ID
    made = RecordVersion(
        record_id=str(record_id), child_id=str(CHILD_ID), case_id=str(CASE_ID), kind=kind, version=1, yot="eastvale",
        change=CHANGE_CREATED, recorded_agency="nhs-psychology", recorded_at=Timestamp(seconds=1_700_000_000),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(made, name, value)
    made.content.Pack(content)
    return made


def _partial(parts: tuple[Any, int]) -> PartialDate:
    day, precision = parts
    return PartialDate(year=day.year, month=day.month if precision > 1 else 0, day=day.day if precision > 2 else 0)


def _field(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.name in _NAMED:
        return _NAMED[field.name]
    single = _single(field)
    return st.lists(single, max_size=3) if field.is_repeated else single


def _single(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type._concrete_class)
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.name.endswith("_id"):
        return st.just("") | _UUIDS
    return {
        FieldDescriptor.TYPE_BOOL: st.booleans(),
        FieldDescriptor.TYPE_BYTES: st.binary(min_size=1, max_size=20),
        FieldDescriptor.TYPE_STRING: _WORDS,
    }.get(field.type, st.integers(0, 30))
