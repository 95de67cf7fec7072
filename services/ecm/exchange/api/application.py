"""The HTTP application: health, and the FHIR door below the base's path."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ecm.exchange.api.auth import address_of
from ecm.exchange.api.capabilities import capability_statement
from ecm.exchange.api.door import FhirDoor
from ecm.exchange.api.errors import FHIR_JSON, FhirError, response_to
from ecm.exchange.api.health import health_routes
from ecm.exchange.api.incoming import Api
from ecm.exchange.api.limits import Limits
from ecm.exchange.api.smart import smart_configuration
from ecm.kit.errors import Reason


class Application:
    """Hands what is below the FHIR base straight to its door, past the framework's routing and middleware."""

    def __init__(self, prefix: str, door: FhirDoor, rest: Starlette, limits: Limits) -> None:
        self._prefix = prefix
        self._door = door
        self._rest = rest
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == self._prefix or path.startswith(f"{self._prefix}/")):
            await self._door(scope, receive, send)
        else:
            await self._limits.pace(address_of(scope))
            await self._rest(scope, receive, send)


def build_application(api: Api, is_ready: Callable[[], bool], started: datetime) -> Application:
    """The ASGI application. Errors of the framework are OperationOutcomes, too."""
    prefix = urlsplit(api.base).path
    documents = {
        "metadata": (FHIR_JSON, capability_statement(api.base, started, api.writes)),
        ".well-known/smart-configuration": ("application/json", smart_configuration(api.settings)),
    }
    rest = Starlette(routes=health_routes(is_ready), exception_handlers={404: _refused, 405: _refused})
    return Application(prefix, FhirDoor(api, prefix, documents), rest, api.limits)


async def _refused(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    headers = getattr(error, "headers", None) or {}
    return response_to(FhirError(status, Reason.NOT_SUPPORTED, "There is no such address here.", headers), "")
