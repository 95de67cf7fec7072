"""The ASGI application below the FHIR base: authenticate, route, answer, and never answer what isn't audited."""

from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ecm.exchange.api.auth import Authentication, address_of
from ecm.exchange.api.errors import NO_STORE, FhirError, response_to
from ecm.exchange.api.formats import check_accept, check_form
from ecm.exchange.api.incoming import Api, Incoming
from ecm.exchange.api.inquiry import describe
from ecm.exchange.api.limits import Seat
from ecm.exchange.api.request import PartnerRequest
from ecm.exchange.api.routes import READING, route
from ecm.exchange.api.unserved import in_header
from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.kit.db.failures import in_domain_words
from ecm.kit.errors import DomainError, Reason
from ecm.kit.metrics import HTTP_TURNED_AWAY
from ecm.kit.telemetry import logger
from ecm.kit.trace import current_trace, with_trace

LARGEST_FORM = 65_536
REFUSED = 400
SERVICE_UNAVAILABLE = 503
MOST_PARAMETERS = 100
# Counted, not written: no writes of a flood, and none where nothing can be written.
_UNAUDITED = frozenset({429, 503})
_UNAVAILABLE = HTTP_TURNED_AWAY.labels("unavailable")


class FhirDoor:
    """Serves `api`; `open_documents` (path → media type, bytes) need no token: metadata, SMART configuration."""

    def __init__(self, api: Api, prefix: str, open_documents: dict[str, tuple[str, bytes]]) -> None:
        self._api = api
        self._authentication = Authentication(api.verifier, api.region, api.limits)
        self._prefix = prefix
        self._open = open_documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, seat = PartnerRequest(scope, receive), Seat(self._api.limits)
        with with_trace(request.headers.get("traceparent")):
            try:
                response = await self._answer(request, scope["path"].removeprefix(self._prefix).strip("/"), seat)
                if response.status_code == SERVICE_UNAVAILABLE:
                    _UNAVAILABLE.inc()
                await response(scope, receive, send)
            finally:
                seat.leave()

    async def _answer(self, request: PartnerRequest, path: str, seat: Seat) -> Response:
        try:
            document = self._open.get(path)
            if document is not None:
                await self._api.limits.pace(address_of(request.scope))
                return _open_document(request, *document)
            caller = await self._authentication.caller(request)
            await seat.take(caller.client)
            request.begin()
            return await self._to_caller(request, path, caller, seat)
        except (DomainError, FhirError) as error:
            return response_to(error, current_trace().trace_id)
        except Exception as error:
            return response_to(_told(error), current_trace().trace_id)

    async def _to_caller(self, request: PartnerRequest, path: str, caller: PartnerCaller, seat: Seat) -> Response:
        segments = tuple(path.split("/")) if path else ()
        pairs = _query(request)
        inquiry = describe(request.method, segments, pairs, self._api.fingerprints)
        incoming = Incoming(self._api, request, caller, segments, pairs, inquiry, seat)
        try:
            response = await self._served(incoming)
        except (DomainError, FhirError) as error:
            response = response_to(error, current_trace().trace_id)
        except ClientDisconnect:
            # Nobody reads this; the audit has that somebody asked.
            response = response_to(DomainError(Reason.MALFORMED_JSON, "The body ended early."), "")
        except Exception as error:
            response = response_to(_told(error), current_trace().trace_id)
        if not incoming.audited and response.status_code not in _UNAUDITED:
            response = await _noted(incoming, response)
        if response.status_code in _UNAUDITED:
            return response
        return await self._at_a_beat(incoming, request.began, response)

    async def _at_a_beat(self, incoming: Incoming, began: float, response: Response) -> Response:
        """Kept till then where something may not have been found; then what was found is handed on, if still it may."""
        if incoming.missed or response.status_code >= REFUSED:
            await self._api.beats.after(began)
        if incoming.missed and response.status_code < REFUSED and response.body:
            self._api.release.require()
        return response

    async def _served(self, incoming: Incoming) -> Response:
        request = incoming.request
        if len(incoming.pairs) > MOST_PARAMETERS:
            raise DomainError(Reason.TOO_LARGE, f"At most {MOST_PARAMETERS} parameters; search in several requests.")
        if request.method == "POST" and incoming.path[-1:] == ("_search",):
            await _read_form(incoming)
        handler = route(request.method, incoming.path, self._api.writes)
        check_accept(request.headers.get("accept"), incoming.pairs)
        told = in_header(incoming)
        if request.method not in (*READING, "POST") or incoming.inquiry.interaction == "command":
            # Blocked clients are found by this, before anything is forwarded.
            await incoming.note("nothing")
        response = await handler(incoming)
        if told:
            response.headers.update(told)
        return response


async def _noted(incoming: Incoming, response: Response) -> Response:
    try:
        await incoming.note("refused")
    except DomainError as error:
        return response_to(error, current_trace().trace_id)
    return response


def _told(error: Exception) -> DomainError:
    """PEER_UNREACHABLE where the database is away or busy; any other fault is ours, and stands in the log alone."""
    told = in_domain_words(error)
    if isinstance(told, DomainError):
        return told
    logger().error("http.failed", exc_info=error)
    return DomainError(Reason.INTERNAL, "")


def _open_document(request: Request, media_type: str, body: bytes) -> Response:
    if request.method not in READING:
        raise FhirError(405, Reason.NOT_SUPPORTED, "This address takes GET.", {"allow": "GET"})
    check_accept(request.headers.get("accept"), _query(request))
    return Response(body, headers=NO_STORE, media_type=media_type)


def _query(request: Request) -> list[tuple[str, str]]:
    query = request.scope["query_string"].decode("latin-1")
    # One more than is taken: so many are refused, and none is left out in silence.
    return parse_qsl(query, keep_blank_values=True)[: MOST_PARAMETERS + 1] if query else []


async def _read_form(incoming: Incoming) -> None:
    """Adds the form's parameters to the query's; identifiers belong into a body, not into addresses."""
    check_form(incoming.request.headers.get("content-type"))
    body = b""
    async for chunk in incoming.request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise DomainError(Reason.TOO_LARGE, "The form is larger than 64 KiB.")
    try:
        form = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise DomainError(Reason.INVALID_VALUE, "The form can't be read.") from None
    incoming.pairs += form
    incoming.inquiry = describe(incoming.request.method, incoming.path, incoming.pairs, incoming.api.fingerprints)
