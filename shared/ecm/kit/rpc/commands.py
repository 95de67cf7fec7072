"""Runs commands: once per idempotency key, in one transaction with their answer."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.kit.call import current_call
from ecm.kit.db.idempotency import CommandKey, claim, request_hash, store_answer, store_error
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, GrpcStatus
from ecm.kit.metrics import REPLAYS
from ecm.kit.narrowing import Narrowings, intent_id_of

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
Handler = Callable[[Tx, Q], Awaitable[RecordRef | A]]
"""Does the command; answers with the record's ref, or with a whole response."""


class Commands:
    """Answers command RPCs for a servicer; within a call alone."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def run(self, request: Q, handler: Handler[Q, A], response_type: type[A]) -> A:
        """The handler's answer, or what the same key was answered before.

        A refusal for what the request says is stored for the key like an answer;
        one for the state of things isn't, and the key stays free.
        """
        command = _command_key(request)
        try:
            async with self._uow.begin() as tx:
                stored = (await claim(tx, command)).replay(response_type)
                if stored is not None:
                    return _replayed(command, stored)
                response = _response(await handler(tx, request), response_type)
                await store_answer(tx, command, response)
                return response
        except DomainError as error:
            await self._keep(command, error)
            raise

    async def run_narrowing(
        self,
        request: Message,
        kind: str,
        payload: Message,
        narrowings: Narrowings,
        response_type: type[A],
        *,
        check: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> A:
        """A command that narrows: the intent is recorded, `consent` answers, then the stricter state is committed.

        `check` decides in the intent's transaction whether the caller may do it at
        all (scope, version). Afterwards the narrowing happens, sooner or later.
        """
        command = _command_key(request)
        intent_id = intent_id_of(command)
        try:
            async with self._uow.begin() as tx:
                claimed = await claim(tx, command)
                stored = claimed.replay(response_type)
                if stored is not None:
                    return _replayed(command, stored)
                if claimed.fresh:
                    if check is not None:
                        await check(tx)
                    await narrowings.record(tx, intent_id, kind, payload)
            response = _response(await narrowings.finish(intent_id), response_type)
        except DomainError as error:
            await self._keep(command, error)
            raise
        async with self._uow.begin() as tx:
            await store_answer(tx, command, response)
        return response

    async def run_or_narrow(
        self,
        request: Q,
        handler: Handler[Q, A],
        kind: str,
        narrowings: Narrowings,
        response_type: type[A],
        *,
        narrows: Callable[[Tx], Awaitable[bool]],
        check: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> A:
        """A command that narrows or doesn't, as `narrows` finds by what is held now; the request is the payload.

        A repetition goes the way that the command has gone. The handler must refuse
        what became narrower after `narrows` has looked.
        """
        if await self._narrows(intent_id_of(_command_key(request)), narrowings, narrows):
            return await self.run_narrowing(request, kind, request, narrowings, response_type, check=check)
        return await self.run(request, handler, response_type)

    async def _narrows(self, intent_id: UUID, narrowings: Narrowings, narrows: Callable[[Tx], Awaitable[bool]]) -> bool:
        async with self._uow.read() as tx:
            if await narrowings.is_recorded(tx, intent_id):
                return True
            try:
                return await narrows(tx)
            except DomainError:
                # The command itself says what is wrong with it, and that is kept for its key.
                return False

    async def _keep(self, command: CommandKey, error: DomainError) -> None:
        # What rests on the request alone stays so. What rests on a state (consent, a step of the case, a record
        # not heard of yet) may pass, and nothing was done: the key stays free.
        if error.entry.grpc_status is not GrpcStatus.INVALID_ARGUMENT:
            return
        async with self._uow.begin() as tx:
            await store_error(tx, command, error)


def _command_key(request: Message) -> CommandKey:
    call = current_call()
    return CommandKey(call.principal.key, call.method, call.idempotency_key, request_hash(request))


def _response(answer: Any, response_type: type[A]) -> A:
    return answer if isinstance(answer, response_type) else response_type(ref=answer)


def _replayed(command: CommandKey, response: A) -> A:
    REPLAYS.labels(command.method).inc()
    return response
