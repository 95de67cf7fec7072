"""FHIR datatypes as small dictionaries: https://hl7.org/fhir/R4/datatypes.html"""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from ecm.api.common.v1.values_pb2 import Date, Document, PartialDate, PartialPeriod
from ecm.exchange.mapping.codes import DATA_ABSENT_REASON

Json = dict[str, Any]
PIECE = 3 * 65_536
"""Bytes that are encoded at once."""


def prune(value: Any) -> Any:
    """The value without what is empty: FHIR knows no empty element, list or string."""
    if isinstance(value, dict):
        kept = {name: prune(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if not _empty(inner)}
    if isinstance(value, list):
        return [inner for inner in map(prune, value) if not _empty(inner)]
    return value.strip() if isinstance(value, str) else value


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def coding(system: str, code: str, display: str = "") -> Json:
    """A Coding."""
    return {"system": system, "code": code, "display": display}


def concept(system: str, code: str, display: str = "") -> Json:
    """A CodeableConcept of one coding, with the display as its text."""
    return {"coding": [coding(system, code, display)], "text": display}


def asked_unknown() -> Json:
    """What stands in a value's place where the answer was "don't know" (checklist 58)."""
    return concept(DATA_ABSENT_REASON, "asked-unknown", "Asked But Unknown")


def extension(url: str, **value: Any) -> Json:
    """An Extension with one value[x]; empty (and pruned away) where the value is."""
    ((name, held),) = value.items()
    return {} if _empty(prune(held)) else {"url": url, name: held}


def enum_code(enum: Any, number: int) -> str:
    """An enum value as a code: CASE_STATE_GO_AHEAD → go-ahead; empty for the unspecified one."""
    if number == 0:
        return ""
    zero = enum.Name(0).removesuffix("UNSPECIFIED")
    return str(enum.Name(number)).removeprefix(zero).lower().replace("_", "-")


def spoken(code: str) -> str:
    """A code in words, for displays: go-ahead → Go ahead."""
    return code.replace("-", " ").capitalize()


def enum_concept(system: str, enum: Any, number: int) -> Json | None:
    """An enum value as a CodeableConcept; None for the unspecified one."""
    code = enum_code(enum, number)
    return concept(system, code, spoken(code)) if code else None


def date(value: Date) -> str | None:
    """A calendar date; None where it isn't set."""
    return f"{value.year:04}-{value.month:02}-{value.day:02}" if value.year else None


def partial_date(value: PartialDate) -> str | None:
    """A date as precise as it is known, never more (checklist 150)."""
    if not value.year:
        return None
    month = f"-{value.month:02}" if value.month else ""
    day = f"-{value.day:02}" if month and value.day else ""
    return f"{value.year:04}{month}{day}"


def effective(period: PartialPeriod) -> Json:
    """`effectiveDateTime` for a point, `effectivePeriod` for a span (checklist 149 to 151)."""
    start, end = partial_date(period.start), partial_date(period.end)
    if period.span or (end and not start):
        return {"effectivePeriod": {"start": start, "end": end}}
    return {"effectiveDateTime": start}


def instant(value: Timestamp) -> str | None:
    """An instant in UTC; None where it isn't set."""
    if not (value.seconds or value.nanos):
        return None
    return moment(value.ToDatetime(tzinfo=UTC))


def moment(value: datetime) -> str:
    """An instant in UTC, to the millisecond."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def media_type(document: Document) -> str:
    """The document's media type; bytes of an unknown sort where none is said."""
    return document.content_type or "application/octet-stream"


def encoded(content: bytes) -> str:
    """As base64, in pieces: one call would hold the interpreter for all of it."""
    return "".join(base64.b64encode(content[at : at + PIECE]).decode() for at in range(0, len(content), PIECE))


def attachment(document: Document, *, url: str = "") -> Json:
    """The document inline, or at `url` with size and hash alone."""
    content = document.content
    return {
        "contentType": media_type(document),
        "language": document.language,
        "data": "" if url else encoded(content),
        "url": url,
        "size": len(content),
        # FHIR's Attachment.hash is SHA-1 by definition; it guards against damage, not against malice.
        "hash": base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode(),
        "title": document.title,
    }
