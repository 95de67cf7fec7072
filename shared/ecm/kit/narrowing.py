"""Narrowings: what makes a record stricter is recorded, told to `consent`, and only then committed.

Transaction 1 keeps the intent. `consent` is asked, and answers once it has
recorded the narrowing (R). Transaction 2 commits the stricter state. A crash in
between is finished by the worker; both ends are idempotent by the intent's id.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from sqlalchemy import Row, and_, select, update
from sqlalchemy.dialects.postgresql import insert

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.kit.auth.principal import Principal, PrincipalKind
from ecm.kit.db.idempotency import CommandKey
from ecm.kit.db.scope import UNLIMITED
from ecm.kit.db.tables import narrowing_intent
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason, from_status, to_status
from ecm.kit.metrics import NARROWINGS_OPEN
from ecm.kit.telemetry import logger
from ecm.kit.trace import current_trace, with_trace

Ask = Callable[[str, bytes, UUID], Awaitable[None]]
"""Tells `consent`: (kind, payload, intent id); returns once it has recorded it; idempotent by the id."""
Apply = Callable[[Tx, str, bytes], Awaitable[RecordRef]]
"""Commits the stricter state of (kind, payload) to the newest version; it must not refuse what was checked."""

EVERY_SECONDS = 5.0
_NAMESPACE = UUID("6f1f1c6e-7f0b-4c43-9a0e-8a3f6a0f5b1d")
_t = narrowing_intent.c


@dataclass(frozen=True, slots=True)
class Intent:
    """A narrowing that was recorded here, and how far it is."""

    intent_id: UUID
    kind: str
    payload: bytes
    principal: Principal
    traceparent: str
    ref: RecordRef | None
    error: DomainError | None

    def outcome(self) -> RecordRef | None:
        """The record's ref where it is done; raises where it was refused; None while it is open."""
        if self.error is not None:
            raise self.error
        return self.ref


class Narrowings:
    """The narrowings of one service."""

    def __init__(self, uow: UnitOfWork, ask: Ask, apply: Apply) -> None:
        self._uow = uow
        self._ask = ask
        self._apply = apply

    async def record(self, tx: Tx, intent_id: UUID, kind: str, payload: Message) -> None:
        """Keeps the intent with the caller's transaction. Recording it twice changes nothing."""
        values = {
            _t.intent_id: intent_id,
            _t.kind: kind,
            _t.payload: payload.SerializeToString(deterministic=True),
            _t.principal: _principal_json(tx.principal),
            _t.traceparent: current_trace().traceparent,
            _t.created_at: tx.now,
        }
        await tx.conn.execute(insert(narrowing_intent).values(values).on_conflict_do_nothing())

    async def is_recorded(self, tx: Tx, intent_id: UUID) -> bool:
        """Whether there is such an intent, in whatever state."""
        found = select(_t.intent_id).where(_t.intent_id == intent_id)
        return (await tx.conn.execute(found)).first() is not None

    async def run(self, kind: str, payload: Message, *, intent_id: UUID, principal: Principal) -> RecordRef:
        """Records and finishes a narrowing outside of a command, e.g. one that an event causes."""
        async with self._uow.begin(principal, scope=UNLIMITED) as tx:
            await self.record(tx, intent_id, kind, payload)
        return await self.finish(intent_id)

    async def finish(self, intent_id: UUID) -> RecordRef:
        """The ref of the record, narrower now.

        CONSENT_UNREACHABLE where `consent` can't be asked: the intent stays, and
        the worker completes it. A refusal of `consent` ends the intent.
        """
        intent = await self._load(intent_id)
        done = intent.outcome()
        if done is not None:
            return done
        try:
            await self._ask(intent.kind, intent.payload, intent.intent_id)
            return await self._commit(intent)
        except DomainError as error:
            raise await self._refused(intent, error) from error

    async def worker(self) -> None:
        """Finishes, at the start and every 5 s, what was left unfinished. Runs until cancelled."""
        while True:
            try:
                await self.finish_open()
            except Exception:
                logger(worker="narrowing").warning("narrowings.failed", exc_info=True)
            await asyncio.sleep(EVERY_SECONDS)

    async def finish_open(self) -> None:
        """Finishes every intent that is older than 5 s, so that no running command is overtaken."""
        before = self._uow.clock.now() - timedelta(seconds=EVERY_SECONDS)
        open_since = select(_t.intent_id, _t.traceparent).where(_is_open(), _t.created_at < before)
        async with self._uow.engine.connect() as conn:
            rows = (await conn.execute(open_since.order_by(_t.created_at).limit(100))).all()
        NARROWINGS_OPEN.set(len(rows))
        for row in rows:
            with with_trace(row.traceparent):
                await self._finish_one(row.intent_id)

    async def _finish_one(self, intent_id: UUID) -> None:
        log = logger(worker="narrowing", intent_id=intent_id)
        try:
            await self.finish(intent_id)
            log.info("narrowing.finished")
        except DomainError as error:
            log.warning("narrowing.not_finished", reason=error.reason)

    async def _load(self, intent_id: UUID) -> Intent:
        async with self._uow.engine.connect() as conn:
            row = (await conn.execute(select(narrowing_intent).where(_t.intent_id == intent_id))).one()
        return _intent(row)

    async def _commit(self, intent: Intent) -> RecordRef:
        async with self._uow.begin(intent.principal, scope=UNLIMITED) as tx:
            locked = select(narrowing_intent).where(_t.intent_id == intent.intent_id).with_for_update()
            done = _intent((await tx.conn.execute(locked)).one()).outcome()
            if done is not None:
                return done
            ref = await self._apply(tx, intent.kind, intent.payload)
            row = update(narrowing_intent).where(_t.intent_id == intent.intent_id)
            await tx.conn.execute(row.values(done_at=tx.now, ref=ref.SerializeToString()))
            return ref

    async def _refused(self, intent: Intent, error: DomainError) -> DomainError:
        if error.retryable:
            message = "It is recorded and will be completed as soon as consent can be reached."
            return DomainError(Reason.CONSENT_UNREACHABLE, message)
        if error.reason is not Reason.INTERNAL:
            await self._fail(intent, error)
        return error

    async def _fail(self, intent: Intent, error: DomainError) -> None:
        async with self._uow.begin(intent.principal, scope=UNLIMITED) as tx:
            row = update(narrowing_intent).where(_t.intent_id == intent.intent_id, _is_open())
            await tx.conn.execute(row.values(failed_at=tx.now, error=to_status(error).SerializeToString()))


def intent_id_of(command: CommandKey) -> UUID:
    """The intent of a command: the same for every repetition of it."""
    return uuid5(_NAMESPACE, "\n".join((command.principal, command.method, command.key)))


def _is_open() -> Any:
    return and_(_t.done_at.is_(None), _t.failed_at.is_(None))


def _intent(row: Row[Any]) -> Intent:
    return Intent(
        intent_id=row.intent_id,
        kind=row.kind,
        payload=row.payload,
        principal=_principal(row.principal),
        traceparent=row.traceparent,
        ref=RecordRef.FromString(row.ref) if row.ref is not None else None,
        error=from_status(Status.FromString(row.error)) if row.error is not None else None,
    )


def _principal_json(principal: Principal) -> str:
    names = ("kind", "id", "agency", "client", "practitioner")
    return json.dumps({name: getattr(principal, name) for name in names} | {"roles": sorted(principal.roles)})


def _principal(text: str) -> Principal:
    held = json.loads(text)
    roles = frozenset((yot, role) for yot, role in held.pop("roles"))
    return Principal(PrincipalKind(held.pop("kind")), roles=roles, **held)
