"""The answer to a write: where it is now, and, where it is wanted and open, what it looks like."""

import asyncio
import time
from datetime import datetime
from typing import Protocol
from uuid import UUID

from starlette.responses import Response

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.exchange.api.errors import FHIR_JSON, NO_STORE, notice, outcome
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.read import etag, http_date
from ecm.exchange.intake.elements import Target
from ecm.exchange.intake.forwarding import SERVICE
from ecm.exchange.intake.lookup import Lookup
from ecm.exchange.intake.references import Seen
from ecm.exchange.mapping.ids import fhir_id
from ecm.kit.errors import DomainError
from ecm.kit.telemetry import logger

# Past it the write is answered as committed, without a body.
VISIBLE_SECONDS = 4.0
LOOK_EVERY_SECONDS = 0.05


class Projecting(Protocol):
    """`ecm.exchange.projection.Projection`, as a write needs it."""

    async def project(self, service: str, record_id: UUID, at_least: int, deadline: float) -> None:
        """Projects the record to that version or later."""
        ...


async def answer(
    incoming: Incoming, lookup: Lookup, projection: Projecting, resource_type: str, ref: RecordRef, *, status: int
) -> Response:
    """201 or 200 with Location, and ETag, Last-Modified and (if preferred) the body once the caller can see it."""
    target = Target(resource_type, UUID(fhir_id(ref.record_id, resource_type)))
    deadline = time.monotonic() + VISIBLE_SECONDS
    await _projected(projection, ref, deadline)
    seen = await _visible(incoming, lookup, target, ref.version, deadline)
    location = f"{incoming.api.base}/{target.type}/{target.id}"
    headers = {**NO_STORE, "location": location}
    if seen is None:
        await incoming.note("committed")
        return Response(status_code=status, headers=headers)
    preference = _preference(incoming)
    if preference == "representation":
        answer = await incoming.read(target.type, target.id)
        if answer.resources and answer.last_updated:
            released = answer.resources[0]
            head = _version_headers(location, released.version_id, answer.last_updated)
            return Response(released.body, status, headers | head, FHIR_JSON)
    await incoming.note("committed")
    head = _version_headers(location, seen.version_id, seen.last_updated)
    if preference == "OperationOutcome":
        body = outcome([notice("It is recorded.")])
        return Response(body, status, headers | head, FHIR_JSON)
    return Response(status_code=status, headers=headers | head)


async def _projected(projection: Projecting, ref: RecordRef, deadline: float) -> None:
    """The command is committed whatever becomes of its projection, so no fault of that may look like a refusal."""
    try:
        await projection.project(SERVICE, UUID(ref.record_id), ref.version, deadline)
    except DomainError as error:
        logger(record_id=ref.record_id, version=ref.version).warning("write.not_projected", reason=error.reason)
    except Exception:
        logger(record_id=ref.record_id, version=ref.version).exception("write.not_projected")


async def _visible(incoming: Incoming, lookup: Lookup, target: Target, version: int, deadline: float) -> Seen | None:
    """The resource once the caller sees it at that version: an own post opens by a grant that takes its own way."""
    while True:
        seen = await lookup.now(incoming.caller, target)
        if seen is not None and seen.record_version >= version:
            return seen
        if time.monotonic() >= deadline:
            return None
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _preference(incoming: Incoming) -> str:
    """`Prefer: return=…`: https://hl7.org/fhir/R4/http.html#ops"""
    for part in incoming.request.headers.get("prefer", "").replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "return":
            return value.strip('" ')
    return "minimal"


def _version_headers(location: str, version_id: str, last_updated: datetime) -> dict[str, str]:
    return {
        "location": f"{location}/_history/{version_id}",
        "etag": etag(version_id),
        "last-modified": http_date(last_updated),
    }
