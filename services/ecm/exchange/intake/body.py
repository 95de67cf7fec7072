"""The body of a write: bounded, FHIR JSON, of the type in the address."""

from starlette.requests import Request

from ecm.exchange.api.errors import FhirError
from ecm.exchange.intake.elements import Element
from ecm.exchange.intake.shape import check_shape
from ecm.exchange.intake.strict_json import LARGEST_BYTES, parse, too_large
from ecm.kit.errors import DomainError, Reason

_MEDIA = frozenset({"application/fhir+json", "application/json"})


async def read_body(request: Request) -> bytes:
    """The bytes; FhirError 415 for another format, TOO_LARGE beyond the bound, read no further than that."""
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media.strip().lower() not in _MEDIA or charset not in ("", "utf-8"):
        raise FhirError(415, Reason.FORMAT_NOT_SUPPORTED, "Send application/fhir+json in UTF-8.")
    if int(request.headers.get("content-length") or 0) > LARGEST_BYTES:
        raise too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BYTES:
            raise too_large()
    return bytes(body)


def read_resource(body: bytes, resource_type: str) -> Element:
    """The resource; MALFORMED_JSON, or INVARIANT with the element that is at fault."""
    resource = parse(body)
    if resource.get("resourceType") != resource_type:
        message = f"The resourceType isn't {resource_type}, which the address names."
        raise DomainError(Reason.INVARIANT, message, field="resourceType")
    return check_shape(resource)
