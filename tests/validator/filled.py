"""Records with every field set, so that every element and every code that a mapping has is said at least once."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.common.v1.values_pb2 import Date, PartialDate, PartialPeriod, ProtectedDeclaration
from ecm.demo.material import pdf
from ecm.exchange.mapping import MAPPERS, View, map_record
from unit.exchange.mapping.invented import CASE_ID, CHILD_ID, CONTEXT, HCPC, RECORD_ID, version

LEAST_VARIANTS = 4
ADDED = {"versionId": "1a", "lastUpdated": "2026-01-01T00:00:00.000Z"}
# One of each by turns; a field that isn't here holds invented words.
_WORDS: dict[str, tuple[Any, ...]] = {
    "content_type": ("application/pdf", "image/svg+xml", "text/plain"),
    "language": ("en", "cy"),
    "ethnic_category": ("A", "T", "Z"),
    "ethnicity": ("A", "T", "Z"),
    "nhs_number": ("9990000018",),
    "urn": ("123456",),
    "agency": ("nhs-psychology", "Invented High School"),
    "contributed_by_agency": ("la-eastvale", "Invented High School"),
    "recipients": ("nhs-psychology", "la-eastvale"),
    "purposes": ("needed-information", "best-support", "better-communication"),
    "parent_ids": ("child", str(RECORD_ID)),
    "partner_ids": (str(RECORD_ID),),
    "model": ("trm",),
    "model_version": ("1",),
    "registration_system": (HCPC,),
    "registration": ("PYL00001", "PYL99999"),
    "key": ("r1", "r2", "r3"),
    "yot": ("eastvale",),
    "physical_years": ("7", "7.5"),
    "social_years": ("8",),
    "cognitive_years": ("9.5",),
    "emotional_years": ("10",),
}


def resources() -> Iterator[tuple[str, str]]:
    """(what it is, body) of every rendition of every kind's variants."""
    for kind in sorted(MAPPERS):
        content = MAPPERS[kind][0]
        for number in range(_variants(content.DESCRIPTOR)):
            for found in map_record(version(kind, filled(content, number)), CONTEXT):
                for view, body in found.renditions.items():
                    served = body | {"meta": body.get("meta", {}) | ADDED}
                    yield f"{kind} {number} {found.type} {View(view).name.lower()}", json.dumps(served)


def filled(kind: type[Message], number: int) -> Message:
    """The message with every field set; codes, texts and precision by turns of `number`."""
    if kind is Date:
        return Date(year=2012, month=1 + number % 12, day=1 + number % 28)
    if kind is PartialDate:
        return PartialDate(year=2012, month=6 if number % 3 else 0, day=15 if number % 3 > 1 else 0)
    if kind is PartialPeriod:
        ends = {"start": filled(PartialDate, number), "end": PartialDate(year=2013 + number)}
        kept = {name: end for name, end in ends.items() if number % 3 != ["start", "end"].index(name) + 1}
        return PartialPeriod(span=number % 2 == 0, as_written="summer, after the move", **kept)
    if kind is Timestamp:
        return Timestamp(seconds=1_700_000_000 + number)
    if kind is ProtectedDeclaration and number % 2 == 0:
        return ProtectedDeclaration()
    return kind(**{field.name: _value(field, number) for field in kind.DESCRIPTOR.fields})


def _value(field: FieldDescriptor, number: int) -> Any:
    return [_single(field, number), _single(field, number + 1)] if field.is_repeated else _single(field, number)


def _single(field: FieldDescriptor, number: int) -> Any:
    if field.message_type is not None:
        return filled(field.message_type._concrete_class, number)
    if field.enum_type is not None:
        return _by_turns([value.number for value in field.enum_type.values if value.number], number)
    if field.name in _WORDS:
        return _by_turns(_WORDS[field.name], number)
    if field.name.endswith(("_id", "_ids")):
        return str(_by_turns((RECORD_ID, CASE_ID, CHILD_ID), number))
    return {
        FieldDescriptor.TYPE_BOOL: number % 2 == 0,
        FieldDescriptor.TYPE_BYTES: pdf("Invented"),
        FieldDescriptor.TYPE_STRING: f"Invented words {number}",
    }.get(field.type, 1 + number % 6)


def _by_turns(values: Sequence[Any], number: int) -> Any:
    return values[number % len(values)]


def _variants(message: Descriptor) -> int:
    return max([LEAST_VARIANTS, *_enums(message, frozenset())])


def _enums(message: Descriptor, above: frozenset[str]) -> Iterator[int]:
    """How many values the enums inside have."""
    for field in message.fields:
        if field.enum_type is not None:
            yield len(field.enum_type.values) - 1
        elif field.message_type is not None and field.message_type.full_name not in above:
            yield from _enums(field.message_type, above | {message.full_name})
