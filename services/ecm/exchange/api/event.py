"""What an event points at: the resource as a read would give it, with the client's own token.

https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md
"""

from starlette.responses import Response

from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.read import resource_response


async def event(incoming: Incoming) -> Response:
    """The resource now, or the 404 that says nothing: another client's address, withdrawn, never given out.

    The audit knows it by the resource's id, whoever asked: the YOT finds the attempt by the child.
    """
    found = await incoming.api.find_dataref(incoming.path[1])
    resource_type, resource_id = "Patient", incoming.api.ids.uuid()
    # An address that was never given out is noted like one that was, so that it takes as long.
    incoming.asks_for(found.id if found else resource_id)
    if found and found.client == incoming.caller.client and incoming.caller.may(found.type, "r"):
        resource_type, resource_id = found.type, found.id
    return resource_response(incoming, await incoming.read(resource_type, resource_id))
