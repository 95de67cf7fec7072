"""What a client's topic says, held against what the client may see now.

`told` is what the topic calls available. The difference becomes events: in
`ApplyGrants`' own transaction what closed, afterwards what opened or changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.exchange.lease import LeaseCheck
from ecm.exchange.locks import lock_topic, share_agency
from ecm.exchange.predicate import consent_predicate, opened_to
from ecm.exchange.streams.events import AVAILABLE, CHANGED, UNAVAILABLE
from ecm.exchange.streams.numbering import News, Numbering

_SEES = {"recipient": ":agency", "purpose": ":purpose", "at": "CAST(:at AS timestamptz)"}
_CHILD = "CAST(:child AS uuid)"
# What is open of the child is gathered once, not once a resource.
_OPENED = f"o AS MATERIALIZED ({opened_to(_CHILD, **_SEES)})"
_VISIBLE_OF_CHILD = f"r.child_id = {_CHILD} AND {consent_predicate('r', **_SEES, opened='o')}"

# A resource that is gone still has its served versions: they say whose it was.
_CLOSED_OF_CHILD = text(f"""
    WITH {_OPENED}
    SELECT t.type, t.id, {_CHILD} AS child_id FROM told t
      JOIN (SELECT DISTINCT v.type, v.id FROM resource_version v WHERE v.child_id = {_CHILD}) k USING (type, id)
     WHERE t.client_id = :client AND NOT EXISTS (
        SELECT 1 FROM o CROSS JOIN resource r WHERE r.type = t.type AND r.id = t.id AND {_VISIBLE_OF_CHILD})
     ORDER BY t.type, t.id""")  # noqa: S608 - fragments of our own, no values
_CLOSED = text(f"""
    SELECT t.type, t.id, k.child_id FROM told t
      JOIN LATERAL (SELECT v.child_id FROM resource_version v WHERE v.type = t.type AND v.id = t.id LIMIT 1) k ON true
     WHERE t.client_id = :client AND NOT EXISTS (
        SELECT 1 FROM resource r WHERE r.type = t.type AND r.id = t.id AND {consent_predicate("r", **_SEES)})
     ORDER BY t.type, t.id""")  # noqa: S608
_OPEN = text(f"""
    WITH {_OPENED}
    SELECT r.type, r.id, r.version_id, t.version_id AS told FROM o CROSS JOIN resource r
      LEFT JOIN told t ON t.client_id = :client AND t.type = r.type AND t.id = r.id
     WHERE t.version_id IS DISTINCT FROM r.version_id AND {_VISIBLE_OF_CHILD}
     ORDER BY r.type, r.id""")  # noqa: S608
_NOW = text("SELECT clock_timestamp()")
_CLIENTS = text("""
    SELECT c.client_id, c.agency, c.purpose FROM client c
     WHERE c.topic AND NOT c.blocked AND (CAST(:agencies AS text[]) IS NULL OR c.agency = ANY(:agencies))
     ORDER BY c.agency, c.client_id""")
# Who has no grant on a child, and whose topic never spoke of it, has nothing to be told.
_CONCERNED = text("""
    SELECT n.client_id
      FROM unnest(CAST(:clients AS text[]), CAST(:agencies AS text[]), CAST(:keys AS text[]))
           AS n (client_id, agency, key)
     WHERE EXISTS (SELECT 1 FROM grants g WHERE g.child_id = :child AND g.recipient = n.agency)
        OR EXISTS (SELECT 1 FROM event_counter e WHERE e.client_id = n.client_id AND e.key = n.key)""")


@dataclass(frozen=True, slots=True)
class TopicClient:
    """A client with a topic."""

    client_id: str
    agency: str
    purpose: str


async def topic_clients(conn: AsyncConnection, agencies: Iterable[str] | None = None) -> list[TopicClient]:
    """The clients with a topic, of these agencies or of all."""
    wanted = {"agencies": None if agencies is None else list(agencies)}
    return [TopicClient(*row) for row in await conn.execute(_CLIENTS, wanted)]


class Reconciliation:
    """Decides what is to be told."""

    def __init__(self, engine: AsyncEngine, numbering: Numbering, lease: LeaseCheck) -> None:
        self._engine = engine
        # For statements that stand alone: no transaction round them.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._numbering = numbering
        self._lease = lease

    async def close(self, conn: AsyncConnection, client: TopicClient, child_id: UUID | None) -> int:
        """Tells what the client can't see any more, of one child or of all (None).

        In the caller's transaction, which holds the agency's lock exclusively and has changed the grants.
        """
        return await self._close(conn, client, child_id, await self._seen(conn, client))

    async def _close(
        self, conn: AsyncConnection, client: TopicClient, child_id: UUID | None, seen: dict[str, object]
    ) -> int:
        query, values = (_CLOSED, seen) if child_id is None else (_CLOSED_OF_CHILD, seen | {"child": child_id})
        rows = await conn.execute(query, values)
        news = [News(UNAVAILABLE, row.child_id, row.type, row.id) for row in rows]
        return await self._numbering.store(conn, client.client_id, news)

    async def child(self, child_id: UUID) -> int:
        """Tells every client what opened, changed and closed of a child; returns how many events.

        LEASE_EXPIRED where `consent` hasn't been heard for too long: a narrowing may wait.
        """
        return sum([await self._of_client(client, child_id) for client in await self._concerned(child_id)])

    async def _concerned(self, child_id: UUID) -> list[TopicClient]:
        async with self._reading.connect() as conn:
            clients = await topic_clients(conn)
            named = {
                "child": child_id,
                "clients": [client.client_id for client in clients],
                "agencies": [client.agency for client in clients],
                "keys": [self._numbering.key(client.client_id, child_id) for client in clients],
            }
            concerned = set((await conn.execute(_CONCERNED, named)).scalars())
        return [client for client in clients if client.client_id in concerned]

    async def _of_client(self, client: TopicClient, child_id: UUID) -> int:
        self._lease.require()
        async with self._engine.begin() as conn:
            await share_agency(conn, client.agency)
            await lock_topic(conn, client.client_id)
            seen = await self._seen(conn, client)
            closed = await self._close(conn, client, child_id, seen)
            rows = await conn.execute(_OPEN, seen | {"child": child_id})
            news = [
                News(CHANGED if row.told else AVAILABLE, child_id, row.type, row.id, row.version_id) for row in rows
            ]
            stored = await self._numbering.store(conn, client.client_id, news)
            self._lease.require()
            return closed + stored

    async def _seen(self, conn: AsyncConnection, client: TopicClient) -> dict[str, object]:
        # Read after the lock: now() is older than the wait for it.
        at = (await conn.execute(_NOW)).scalar_one()
        return {"client": client.client_id, "agency": client.agency, "purpose": client.purpose, "at": at}
