"""Read one resource. https://hl7.org/fhir/R4/http.html#read"""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ecm.exchange.api.errors import NO_STORE, not_found
from ecm.exchange.api.handover import HandedOver
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.disclosure.asks import Answer, Released
from ecm.exchange.search.query import as_uuid


async def read(incoming: Incoming) -> Response:
    """The resource in the caller's view, or the 404 that says nothing."""
    resource_type, resource_id = incoming.path
    incoming.require(resource_type, "r")
    # What can't be an id of ours is looked for all the same, so that it takes as long.
    wanted = as_uuid(resource_id) or incoming.api.ids.uuid()
    return resource_response(incoming, await incoming.read(resource_type, wanted))


def resource_response(incoming: Incoming, answer: Answer) -> Response:
    """200 with the stored bytes, 304 where the caller has them, 404 where nothing was released."""
    if not answer.resources:
        raise not_found()
    released, changed = answer.resources[0], answer.last_updated
    assert changed is not None, "It was asked for by its id."
    headers = {**NO_STORE, "etag": etag(released.version_id), "last-modified": http_date(changed)}
    if _is_known(incoming.request, released, changed):
        return Response(status_code=304, headers=headers)
    return HandedOver(released.body, headers, partial(incoming.still_open, [released]))


def etag(version_id: str) -> str:
    """The weak tag of a version. https://hl7.org/fhir/R4/http.html#versioning"""
    return f'W/"{version_id}"'


def _is_known(request: Request, released: Released, changed: datetime) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/").strip('"') for tag in known.split(",")}
        return released.version_id in tags or "*" in tags
    return _not_modified_since(request.headers.get("if-modified-since"), changed)


def _not_modified_since(header: str | None, changed: datetime) -> bool:
    try:
        return header is not None and changed.replace(microsecond=0) <= parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return False


def http_date(instant: datetime) -> str:
    """https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7"""
    return format_datetime(instant.astimezone(UTC), usegmt=True)
