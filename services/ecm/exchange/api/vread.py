"""Read one version. https://hl7.org/fhir/R4/http.html#vread

Served only to who may see the version's own categories and the current ones, in
the view that is theirs now; of what was hidden, moved or deleted no version is.
"""

from starlette.responses import Response

from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.read import resource_response
from ecm.exchange.disclosure.asks import Page
from ecm.exchange.search.query import as_uuid


async def vread(incoming: Incoming) -> Response:
    """The version, or the 404 that says nothing."""
    resource_type, resource_id, _, version = incoming.path
    incoming.require(resource_type, "r")
    wanted = as_uuid(resource_id) or incoming.api.ids.uuid()
    answer = await incoming.find(Page("version", (resource_type, str(wanted), version)))
    return resource_response(incoming, answer)
