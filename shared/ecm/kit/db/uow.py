"""One transaction of a service: its connection, who acts, when, and the records it saves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.kit.auth.principal import Principal, PrincipalKind
from ecm.kit.clock import Clock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.failures import is_transient
from ecm.kit.db.records import Records
from ecm.kit.db.tables import outbox
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import Ids
from ecm.kit.region import Region
from ecm.kit.rpc.call import call_or_none
from ecm.kit.trace import current_trace

OUTBOX_CHANNEL = "ecm_outbox"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows a principal may see: of these YOTs, or all (None)."""

    yots: frozenset[str] | None

    def admits(self, yot: str) -> bool:
        """Whether a record of that YOT may be seen."""
        return self.yots is None or yot in self.yots


UNLIMITED = Scope(None)


def scope_of(principal: Principal) -> Scope:
    """What a principal may see in the call being answered.

    People see the YOTs in which they hold a role that the method admits. For
    services and partners the policy alone decides. Outside of a call (tests,
    workers) a person's every role counts.
    """
    if principal.kind is not PrincipalKind.PERSON:
        return UNLIMITED
    call = call_or_none()
    if call is None:
        return Scope(principal.yots())
    return Scope(principal.yots(call.rule.people)) if call.rule.scope == "yot" else UNLIMITED


class Tx:
    """An open transaction. Everything in it happens at `now`, or not at all."""

    def __init__(
        self,
        conn: AsyncConnection,
        principal: Principal,
        now: datetime,
        *,
        region: Region,
        ids: Ids,
        events: RecordEvents,
        scope: Scope,
    ) -> None:
        self.conn = conn
        self.principal = principal
        self.now = now
        self.region = region
        self.ids = ids
        self.scope = scope
        self.records = Records(self, events)
        self._outgoing: list[dict[str, object]] = []

    def emit(self, type_name: str, key: str, message: Message) -> None:
        """Sends an event with this transaction; `type_name` is the full message name, `key` decides its partition."""
        self._outgoing.append(
            {
                "event_id": self.ids.uuid(),
                "key": key,
                "type": type_name,
                "value": message.SerializeToString(deterministic=True),
                "traceparent": current_trace().traceparent,
                "created_at": self.now,
            }
        )

    async def flush(self) -> None:
        """Writes the events; called before the commit, while the records' locks are still held: that is their order."""
        for row in self._outgoing:
            # One by one: ids of a multi-row insert needn't follow its order.
            await self.conn.execute(insert(outbox), row)
        if self._outgoing:
            await self.conn.execute(text(f"NOTIFY {OUTBOX_CHANNEL}"))
        self._outgoing.clear()


class UnitOfWork:
    """Begins transactions for one service."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, ids: Ids, region: Region, event_factory: RecordEvents
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.ids = ids
        self.region = region
        self._events = event_factory

    @asynccontextmanager
    async def begin(self, principal: Principal | None = None, *, scope: Scope | None = None) -> AsyncIterator[Tx]:
        """A transaction that commits at the end, or rolls back on any error.

        Without `principal`, the caller's. UNAVAILABLE `PEER_UNREACHABLE` where the database is away or busy.
        """
        async with _translated(), self.engine.begin() as conn:
            tx = self._tx(conn, principal, scope)
            yield tx
            await tx.flush()

    @asynccontextmanager
    async def read(self, principal: Principal | None = None, *, scope: Scope | None = None) -> AsyncIterator[Tx]:
        """A read-only transaction that sees one state of the database throughout."""
        async with _translated(), self.engine.connect() as conn:
            await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with conn.begin():
                yield self._tx(conn, principal, scope)

    def _tx(self, conn: AsyncConnection, principal: Principal | None, scope: Scope | None) -> Tx:
        acting = principal or _caller()
        now = self.clock.now()
        return Tx(
            conn,
            acting,
            now,
            region=self.region,
            ids=self.ids,
            events=self._events,
            scope=scope or scope_of(acting),
        )


def _caller() -> Principal:
    call = call_or_none()
    if call is None:
        raise LookupError("Outside of a call, say who acts: begin(principal).")
    return call.principal


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except Exception as error:
        if not isinstance(error, DomainError) and is_transient(error):
            raise DomainError(Reason.PEER_UNREACHABLE, "The database is away or busy; try again.") from error
        raise
