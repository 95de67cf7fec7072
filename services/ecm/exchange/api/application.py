"""The HTTP application: health, and the FHIR door below the base's path."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from ecm.exchange.api.capabilities import capability_statement
from ecm.exchange.api.door import FhirDoor
from ecm.exchange.api.errors import FHIR_JSON, FhirError, response_to
from ecm.exchange.api.health import health_routes
from ecm.exchange.api.incoming import Api
from ecm.exchange.api.smart import smart_configuration


def build_application(api: Api, is_ready: Callable[[], bool], started: datetime) -> Starlette:
    """The ASGI application. Errors of the framework are OperationOutcomes, too."""
    prefix = urlsplit(api.base).path
    documents = {
        "metadata": (FHIR_JSON, capability_statement(api.base, started, api.writes)),
        ".well-known/smart-configuration": ("application/json", smart_configuration(api.settings)),
    }
    routes = [*health_routes(is_ready), Mount(prefix, FhirDoor(api, prefix, documents))]
    return Starlette(routes=routes, exception_handlers={404: _refused, 405: _refused})


async def _refused(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    headers = getattr(error, "headers", None) or {}
    return response_to(FhirError(status, "not-supported", "There is no such address here.", headers), "")
