"""What a client's topic says, held against what the client may see now.

`told` is what the topic calls available. The difference becomes events: in
`ApplyGrants`' own transaction what closed, afterwards what opened or changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.exchange.disclosure.predicate import consent_predicate, opened_to
from ecm.exchange.lease import LeaseCheck
from ecm.exchange.locks import lock_topic
from ecm.exchange.streams.events import AVAILABLE, CHANGED, UNAVAILABLE
from ecm.exchange.streams.numbering import News, Numbering
from ecm.kit.db.direct import Direct

_SEES = {"recipient": ":agency", "purpose": "(SELECT w.purpose FROM who w)", "at": "(SELECT w.at FROM who w)"}
# Read after the lock: the transaction's now() is older than the wait for it, and the client may be another by then.
# None where its topic is to be told nothing.
_WHO = """who AS MATERIALIZED (
        SELECT c.purpose, clock_timestamp() AS at FROM client c
         WHERE c.client_id = :client AND c.agency = :agency AND c.topic AND NOT c.blocked)"""
_LOOKED = "r.child_id, r.record_id, r.type, r.id, r.version_id, r.view, r.categories, r.only_for, r.hidden"

# What is open of a child is gathered once, not once a resource. Of a child that is looked at whole a resource that is
# gone still has its served versions: they say whose it was. Every resource is looked up in `told`, however much that
# holds; nothing is joined with all that is known of the child, which would cost its square.
_DIFFERENT = Direct(f"""
    WITH {_WHO}, o AS MATERIALIZED (
        SELECT c.child_id, o.* FROM unnest(CAST(:children AS uuid[])) AS c (child_id)
         CROSS JOIN LATERAL ({opened_to("c.child_id", **_SEES)}) o
    ), looked AS (
        SELECT {_LOOKED} FROM resource r WHERE r.child_id = ANY(:whole)
        UNION ALL SELECT {_LOOKED} FROM resource r WHERE r.record_id = ANY(:records)
    ), known AS (
        SELECT r.child_id, r.type, r.id,
               CASE WHEN {consent_predicate("r", **_SEES, opened="o")} THEN r.version_id END AS version_id
          FROM looked r JOIN o USING (child_id)
        UNION ALL SELECT v.child_id, v.type, v.id, NULL FROM resource_version v WHERE v.child_id = ANY(:whole)
    ), seen AS (
        SELECT k.child_id, k.type, k.id, max(k.version_id) AS version_id FROM known k GROUP BY k.child_id, k.type, k.id
    )
    SELECT s.child_id, s.type, s.id, s.version_id AS seen, t.version_id AS told
      FROM seen s LEFT JOIN LATERAL (
        SELECT t.version_id FROM told t WHERE t.client_id = :client AND t.type = s.type AND t.id = s.id LIMIT 1
      ) t ON true
     WHERE s.version_id IS DISTINCT FROM t.version_id AND EXISTS (SELECT 1 FROM who)
     ORDER BY s.child_id, s.version_id IS NOT NULL, s.type, s.id""")  # noqa: S608 - fragments of our own, no values
_CLOSED = text(f"""
    WITH {_WHO}
    SELECT t.type, t.id, k.child_id FROM told t
      JOIN LATERAL (SELECT v.child_id FROM resource_version v WHERE v.type = t.type AND v.id = t.id LIMIT 1) k ON true
     WHERE t.client_id = :client AND NOT EXISTS (
        SELECT 1 FROM resource r WHERE r.type = t.type AND r.id = t.id AND {consent_predicate("r", **_SEES)})
     ORDER BY t.type, t.id""")  # noqa: S608
_CLIENTS = Direct("""
    SELECT c.client_id, c.agency FROM client c
     WHERE c.topic AND NOT c.blocked AND (CAST(:agencies AS text[]) IS NULL OR c.agency = ANY(:agencies))
     ORDER BY c.agency, c.client_id""")
# Who has no grant on a child, and whose topic never spoke of it, has nothing to be told.
_CONCERNED = Direct("""
    SELECT n.client_id, n.child_id
      FROM unnest(CAST(:clients AS text[]), CAST(:agencies AS text[]), CAST(:children AS uuid[]),
                  CAST(:keys AS text[])) AS n (client_id, agency, child_id, key)
     WHERE EXISTS (SELECT 1 FROM grants g WHERE g.child_id = n.child_id AND g.recipient = n.agency)
        OR EXISTS (SELECT 1 FROM event_counter e WHERE e.client_id = n.client_id AND e.key = n.key)""")


LookedAt = Mapping[UUID, Sequence[UUID] | None]
"""Children, and of each under which ids what changed stands; None: all of the child."""


@dataclass(frozen=True, slots=True)
class TopicClient:
    """A client with a topic."""

    client_id: str
    agency: str

    @property
    def named(self) -> dict[str, object]:
        """Who sees, in the statements here."""
        return {"client": self.client_id, "agency": self.agency}


async def topic_clients(conn: AsyncConnection, agencies: Iterable[str] | None = None) -> list[TopicClient]:
    """The clients with a topic, of these agencies or of all."""
    wanted = {"agencies": None if agencies is None else list(agencies)}
    return [TopicClient(*row) for row in await _CLIENTS.all(conn, wanted)]


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
        if child_id is None:
            rows = await conn.execute(_CLOSED, client.named)
            news = [News(UNAVAILABLE, row.child_id, row.type, row.id) for row in rows]
        else:
            news = [item for item in await _different(conn, client, {child_id: None}) if item.kind == UNAVAILABLE]
        return await self._numbering.store(conn, client.client_id, news)

    async def children(self, looked_at: LookedAt) -> int:
        """Tells every client what opened, changed and closed of some children; returns how many events.

        A client's in one transaction. LEASE_EXPIRED where `consent` hasn't been heard for too long: a narrowing may
        wait.
        """
        self._lease.require()
        told = [
            await self._of_client(client, {child_id: looked_at[child_id] for child_id in children})
            for client, children in await self._concerned(list(looked_at))
        ]
        return sum(told)

    async def _concerned(self, children: Sequence[UUID]) -> list[tuple[TopicClient, list[UUID]]]:
        async with self._reading.connect() as conn:
            clients = await topic_clients(conn)
            pairs = [(client, child_id) for client in clients for child_id in children]
            named = {
                "clients": [client.client_id for client, _ in pairs],
                "agencies": [client.agency for client, _ in pairs],
                "children": [child_id for _, child_id in pairs],
                "keys": [self._numbering.key(client.client_id, child_id) for client, child_id in pairs],
            }
            found = await _CONCERNED.all(conn, named)
        of = {client: [row.child_id for row in found if row.client_id == client.client_id] for client in clients}
        return [(client, concerning) for client, concerning in of.items() if concerning]

    async def _of_client(self, client: TopicClient, looked_at: LookedAt) -> int:
        self._lease.require()
        async with self._engine.begin() as conn:
            await lock_topic(conn, client.agency, client.client_id)
            stored = await self._numbering.store(conn, client.client_id, await _different(conn, client, looked_at))
            self._lease.require()
            return stored


async def _different(conn: AsyncConnection, client: TopicClient, looked_at: LookedAt) -> list[News]:
    """What to say of children: of each what closed, then what opened or changed."""
    whole = [child_id for child_id, records in looked_at.items() if records is None]
    some = [record for records in looked_at.values() for record in records or ()]
    rows = await _DIFFERENT.all(conn, client.named | {"children": list(looked_at), "whole": whole, "records": some})
    return [News(_kind(row), row.child_id, row.type, row.id, row.seen or "") for row in rows]


def _kind(row: Any) -> str:
    if row.seen is None:
        return UNAVAILABLE
    return AVAILABLE if row.told is None else CHANGED
