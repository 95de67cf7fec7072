"""Where a service's transactions begin and end, each with the records that it reads and saves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.kit.auth.principal import Principal
from ecm.kit.call import call_or_none
from ecm.kit.clock import Clock
from ecm.kit.db.changes import RecordEvents
from ecm.kit.db.failures import told_in_domain_words
from ecm.kit.db.records import Records
from ecm.kit.db.scope import Scope, scope_of
from ecm.kit.db.transaction import Transaction
from ecm.kit.ids import Ids
from ecm.kit.region import Region


class Tx(Transaction):
    """An open transaction, with the records of the service."""

    def __init__(
        self,
        conn: AsyncConnection,
        principal: Principal,
        now: datetime,
        *,
        region: Region,
        ids: Ids,
        scope: Scope,
        events: RecordEvents,
    ) -> None:
        super().__init__(conn, principal, now, region=region, ids=ids, scope=scope)
        self.records = Records(self, events)


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
        with told_in_domain_words():
            async with self.engine.begin() as conn:
                tx = self._tx(conn, principal, scope)
                yield tx
                await tx.flush()

    @asynccontextmanager
    async def read(self, principal: Principal | None = None, *, scope: Scope | None = None) -> AsyncIterator[Tx]:
        """A read-only transaction that sees one state of the database throughout."""
        with told_in_domain_words():
            async with self.engine.connect() as conn:
                await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                async with conn.begin():
                    yield self._tx(conn, principal, scope)

    @asynccontextmanager
    async def look(self, principal: Principal | None = None) -> AsyncIterator[Tx]:
        """For reading what one statement says: no transaction, and no round trips, round it."""
        with told_in_domain_words():
            async with self.engine.connect() as conn:
                await conn.execution_options(isolation_level="AUTOCOMMIT")
                yield self._tx(conn, principal, None)

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
