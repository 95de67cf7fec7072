"""Create a resource: a partner's write becomes one command. https://hl7.org/fhir/R4/http.html#create"""

from functools import partial

from starlette.responses import Response

from ecm.exchange.api.answering import answer
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.writing import Intake, header, note_ids, writer_of
from ecm.exchange.intake.forwarding import idempotency_key
from ecm.exchange.intake.resolve import resolve
from ecm.exchange.intake.write_table import check_admitted, find
from ecm.exchange.large import off_the_loop
from ecm.kit.errors import DomainError, Reason


async def create(incoming: Incoming, intake: Intake) -> Response:
    """201 with Location; the refusals of the write table, of the resource, and of `formulation`."""
    (resource_type,) = incoming.path
    kind = intake.kind(incoming)
    check_admitted("create", resource_type, kind)
    incoming.require(resource_type, "c")
    _check_unconditional(incoming)
    body = await intake.reading.body(incoming)
    root = await intake.reading.resource(body, resource_type)
    write = find("create", root, kind)
    note_ids(incoming, write, root)
    writer = writer_of(incoming, intake.region, write)
    found = await resolve(intake.lookup, incoming.caller, write, root)
    command = await off_the_loop(len(body), write.command, root, writer, found)
    given, route = header(incoming, "idempotency-key"), f"POST {resource_type}"
    key = await off_the_loop(len(body), partial(idempotency_key, given, client=writer.client, route=route, body=body))
    ref = await intake.forwarding.command(write.rpc, command, writer, key)
    return await answer(incoming, intake.lookup, intake.projection, resource_type, ref, status=201)


def _check_unconditional(incoming: Incoming) -> None:
    """Conditional create would have to search, and tell what it found."""
    if header(incoming, "if-none-exist") is not None:
        raise DomainError(Reason.NOT_SUPPORTED, "Conditional create isn't served; send an Idempotency-Key.")
