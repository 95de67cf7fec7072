"""Update a resource: a partner's write becomes one command. https://hl7.org/fhir/R4/http.html#update"""

from starlette.responses import Response

from ecm.exchange.api.incoming import Incoming
from ecm.exchange.intake.answering import answer
from ecm.exchange.intake.body import read_body, read_resource
from ecm.exchange.intake.elements import Element, Target, invariant
from ecm.exchange.intake.forwarding import idempotency_key
from ecm.exchange.intake.intake import Intake, header, note_ids, writer_of
from ecm.exchange.intake.memory import Sent, sent
from ecm.exchange.intake.references import Seen
from ecm.exchange.intake.resolve import check_kind, check_match, resolve, target_of
from ecm.exchange.intake.write_table import check_admitted, find
from ecm.exchange.search.query import as_uuid

OK, CREATED = 200, 201


async def update(incoming: Incoming, intake: Intake) -> Response:
    """200; 201 where the update makes a record of its own (a draft becomes a report, a report gets an amendment).

    404 for what the caller can't see, 412 for another version than the one served.
    """
    resource_type, resource_id = incoming.path
    kind = intake.kind(incoming)
    check_admitted("update", resource_type, kind)
    incoming.require(resource_type, "u")
    body = await read_body(incoming.request)
    root = read_resource(body, resource_type)
    write = find("update", root, kind)
    note_ids(incoming, write, root)
    writer = writer_of(incoming, intake.region, write)
    # What can't be an id of ours is looked for all the same, so that it takes as long.
    target = Target(resource_type, as_uuid(resource_id) or incoming.api.ids.uuid())
    updated = await target_of(intake.lookup, incoming.caller, target)
    _check_id(root, target)
    check_kind(write, updated, root)
    request = _sent(incoming, target, body)
    version = await _version(intake, request, updated, header(incoming, "if-match"))
    found = await resolve(intake.lookup, incoming.caller, write, root, updated=updated, expected_version=version)
    command = write.command(root, writer, found)
    await intake.memory.remember(request, version)
    ref = await intake.forwarding.command(write.rpc, command, writer, request.key)
    status = OK if ref.record_id == str(updated.record_id) else CREATED
    return await answer(incoming, intake.lookup, intake.projection, resource_type, ref, status=status)


def _sent(incoming: Incoming, target: Target, body: bytes) -> Sent:
    route, if_match = f"PUT {target.type}/{target.id}", header(incoming, "if-match")
    client = incoming.caller.client
    key = idempotency_key(header(incoming, "idempotency-key"), client=client, route=route, if_match=if_match, body=body)
    return sent(client, key, route, if_match, body)


async def _version(intake: Intake, request: Sent, updated: Seen, if_match: str | None) -> int:
    """The record version that the update is based on: of its first sending, or of the ETag."""
    remembered = await intake.memory.recall(request)
    if not remembered:
        check_match(updated, if_match)
    return remembered or updated.record_version


def _check_id(root: Element, target: Target) -> None:
    """https://hl7.org/fhir/R4/http.html#update: the id in the body is the one in the address."""
    if root.text("id", required=True) != str(target.id):
        raise invariant("It isn't the id of the address.", root.at("id"))
