"""The body of a write: bounded, FHIR JSON, of the type in the address."""

from starlette.requests import Request

from ecm.exchange.api.errors import FhirError
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.intake.elements import Element
from ecm.exchange.intake.shape import check_shape
from ecm.exchange.intake.strict_json import LARGEST_BYTES, parse, too_large
from ecm.exchange.large import SMALL_BYTES, Worker
from ecm.kit.errors import DomainError, Reason

_MEDIA = frozenset({"application/fhir+json", "application/json"})


LARGE_BYTES = 1_048_576


class Reading:
    """Reads bodies so that large ones hold up nobody but their own client."""

    def __init__(self, worker: Worker) -> None:
        # A thread would hold the interpreter while it parses.
        self._worker = worker

    async def body(self, incoming: Incoming) -> bytes:
        """The bytes; FhirError 415 for another format, TOO_LARGE beyond the bound, read no further than that.

        Of a client's large ones few are read at once: the others wait, in the network's buffers.
        """
        _check_headers(incoming.request)
        body = bytearray()
        async for chunk in incoming.request.stream():
            body += chunk
            if len(body) > LARGEST_BYTES:
                raise too_large()
            if len(body) > LARGE_BYTES:
                await incoming.seat.take_large()
        return bytes(body)

    async def resource(self, body: bytes, resource_type: str) -> Element:
        """As `read_resource`; a body that isn't small is read in another process, one after the other."""
        if len(body) <= SMALL_BYTES:
            return read_resource(body, resource_type)
        return await self._worker.run(read_resource, body, resource_type)


def _check_headers(request: Request) -> None:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media.strip().lower() not in _MEDIA or charset not in ("", "utf-8"):
        raise FhirError(415, Reason.FORMAT_NOT_SUPPORTED, "Send application/fhir+json in UTF-8.")
    if int(request.headers.get("content-length") or 0) > LARGEST_BYTES:
        raise too_large()


def read_resource(body: bytes, resource_type: str) -> Element:
    """The resource; MALFORMED_JSON, or INVARIANT with the element that is at fault."""
    resource = parse(body)
    if resource.get("resourceType") != resource_type:
        message = f"The resourceType isn't {resource_type}, which the address names."
        raise DomainError(Reason.INVARIANT, message, field="resourceType")
    return check_shape(resource)
