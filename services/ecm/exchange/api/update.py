"""Update a resource: a partner's write becomes one command. https://hl7.org/fhir/R4/http.html#update"""

import time
from dataclasses import dataclass

from starlette.responses import Response

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.exchange.api.answering import VISIBLE_SECONDS, answer
from ecm.exchange.api.incoming import Incoming
from ecm.exchange.api.writing import Intake, header, note_ids, writer_of
from ecm.exchange.intake.context import Writer
from ecm.exchange.intake.elements import Element, Target, invariant
from ecm.exchange.intake.forwarding import SERVICE, idempotency_key
from ecm.exchange.intake.memory import Sent, sent
from ecm.exchange.intake.references import Seen
from ecm.exchange.intake.resolve import check_kind, check_match, resolve, target_of
from ecm.exchange.intake.write_table import Write, check_admitted, find
from ecm.exchange.large import off_the_loop
from ecm.exchange.search.query import as_uuid
from ecm.kit.errors import DomainError, Reason

OK, CREATED = 200, 201
TRIES = 3


async def update(incoming: Incoming, intake: Intake) -> Response:
    """200; 201 where the update makes a record of its own (a draft becomes a report, a report gets an amendment).

    404 for what the caller can't see, 412 for another version than the one served.
    """
    resource_type, resource_id = incoming.path
    kind = intake.kind(incoming)
    check_admitted("update", resource_type, kind)
    incoming.require(resource_type, "u")
    body = await intake.reading.body(incoming)
    root = await intake.reading.resource(body, resource_type)
    write = find("update", root, kind)
    note_ids(incoming, write, root)
    writer = writer_of(incoming, intake.region, write)
    # What can't be an id of ours is looked for all the same, so that it takes as long.
    target = Target(resource_type, as_uuid(resource_id) or incoming.api.ids.uuid())
    updated = await target_of(intake.lookup, incoming.caller, target)
    _check_id(root, target)
    check_kind(write, updated, root)
    request = await off_the_loop(len(body), _sent, incoming, target, body)
    sending = _Update(
        incoming=incoming, intake=intake, write=write, root=root, size=len(body), writer=writer, request=request
    )
    ref = await sending.send(updated)
    status = OK if ref.record_id == str(updated.record_id) else CREATED
    return await answer(incoming, intake.lookup, intake.projection, resource_type, ref, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Update:
    """Sends the command, based on the record version that the ETag stands for."""

    incoming: Incoming
    intake: Intake
    write: Write
    root: Element
    size: int
    writer: Writer
    request: Sent

    async def send(self, updated: Seen) -> RecordRef:
        """The record after it. VERSION_CONFLICT where what the caller read isn't what is there."""
        version = await self._version(updated)
        for _ in range(TRIES - 1):
            try:
                return await self._sent_at(updated, version)
            except DomainError as error:
                updated = await self._caught_up(updated, error)
                version = updated.record_version
        return await self._sent_at(updated, version)

    async def _version(self, updated: Seen) -> int:
        """That of the request's first sending, else that of the ETag."""
        remembered = await self.intake.memory.recall(self.request)
        if not remembered:
            self._check_match(updated)
        return remembered or updated.record_version

    async def _sent_at(self, updated: Seen, version: int) -> RecordRef:
        found = await resolve(
            self.intake.lookup,
            self.incoming.caller,
            self.write,
            self.root,
            updated=updated,
            expected_version=version,
        )
        command = await off_the_loop(self.size, self.write.command, self.root, self.writer, found)
        await self.intake.memory.remember(self.request, version)
        key = self.request.key_at(version)
        return await self.intake.forwarding.command(self.write.rpc, command, self.writer, key)

    async def _caught_up(self, updated: Seen, error: DomainError) -> Seen:
        """What is to be updated, now; the same error where its version isn't the reason, 412 where it looks otherwise.

        A record's newer version may leave the bytes of this view as they were (an
        accuracy check does): then the caller's ETag still holds.
        """
        newest = error.metadata.get("version", "")
        if error.reason is not Reason.VERSION_CONFLICT or not newest.isdigit():
            raise error
        deadline = time.monotonic() + VISIBLE_SECONDS
        await self.intake.projection.project(SERVICE, updated.record_id, int(newest), deadline)
        now = await target_of(self.intake.lookup, self.incoming.caller, Target(updated.type, updated.id))
        self._check_match(now)
        return now

    def _check_match(self, updated: Seen) -> None:
        check_match(updated, header(self.incoming, "if-match"))


def _sent(incoming: Incoming, target: Target, body: bytes) -> Sent:
    route, if_match = f"PUT {target.type}/{target.id}", header(incoming, "if-match")
    client = incoming.caller.client
    given = header(incoming, "idempotency-key")
    key = idempotency_key(given, client=client, route=route, if_match=if_match, body=body)
    return sent(client, key, route, if_match, body)


def _check_id(root: Element, target: Target) -> None:
    """https://hl7.org/fhir/R4/http.html#update: the id in the body is the one in the address."""
    if root.text("id", required=True) != str(target.id):
        raise invariant("It isn't the id of the address.", root.at("id"))
