"""What an event points at: the resource as a read would give it, with the client's own token.

https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md
"""

from starlette.responses import Response

from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.read import resource_response


async def event(incoming: Incoming) -> Response:
    """The resource now, or the 404 that says nothing: another client's address, withdrawn, never given out."""
    found = await incoming.api.find_dataref(incoming.caller.client, incoming.path[1])
    if found is None or not incoming.caller.may(found[0], "r"):
        found = ("Patient", incoming.api.ids.uuid())
    resource_type, resource_id = found
    return resource_response(incoming, await incoming.ask("read", resource_type, resource_id))
