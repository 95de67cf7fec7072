"""Stores a client's events with their numbers: gapless per client and key within a generation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange.streams.events import HEARTBEAT, UNAVAILABLE, pseudonym
from ecm.kit.db.direct import Direct
from ecm.kit.ids import Ids

CHANNEL: Final = "ecm_partner_outbox"
HEARTBEAT_KEY: Final = "heartbeat"

# The counter's row is locked until the commit: the next number is given out after this one is certain.
_NEXT = text("""
    INSERT INTO event_counter (client_id, key, n) VALUES (:client, :key, 1)
    ON CONFLICT (client_id, key) DO UPDATE SET n = event_counter.n + 1 RETURNING n""")
# One statement for however many events: `ApplyGrants` runs it while everybody waits.
_STORE = Direct(f"""
    WITH news AS (
        SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:kinds AS text[]), CAST(:types AS text[]),
                             CAST(:ids AS uuid[]), CAST(:versions AS text[]), CAST(:tokens AS text[]),
                             CAST(:event_ids AS uuid[]))
               WITH ORDINALITY AS n (key, kind, type, id, version_id, token, event_id, place)
    ), named AS (
        INSERT INTO dataref (token, client_id, type, id) SELECT n.token, :client, n.type, n.id FROM news n
        ON CONFLICT (client_id, type, id) DO NOTHING RETURNING token, type, id
    ), numbered AS (
        INSERT INTO event_counter (client_id, key, n)
        SELECT :client, n.key, count(*) FROM news n GROUP BY n.key ORDER BY n.key
        ON CONFLICT (client_id, key) DO UPDATE SET n = event_counter.n + excluded.n RETURNING key, n
    ), there AS (
        INSERT INTO told (client_id, type, id, version_id)
        SELECT :client, n.type, n.id, n.version_id FROM news n WHERE n.kind <> '{UNAVAILABLE}'
        ON CONFLICT (client_id, type, id) DO UPDATE SET version_id = excluded.version_id
    ), gone AS (
        DELETE FROM told t USING news n
         WHERE t.client_id = :client AND t.type = n.type AND t.id = n.id AND n.kind = '{UNAVAILABLE}'
    ), stored AS (
        INSERT INTO partner_outbox (client_id, generation, sequence, key, event_type, token, event_id, created_at)
        SELECT :client, s.generation, c.n + 1 - row_number() OVER (PARTITION BY n.key ORDER BY n.place DESC), n.key,
               n.kind, coalesce(m.token, d.token), n.event_id, clock_timestamp()
          FROM exchange_state s CROSS JOIN news n JOIN numbered c USING (key)
          LEFT JOIN named m ON m.type = n.type AND m.id = n.id
          LEFT JOIN dataref d ON d.client_id = :client AND d.type = n.type AND d.id = n.id
         ORDER BY n.place
    ) SELECT pg_notify('{CHANNEL}', '')""")  # noqa: S608 - constants of our own
_HEARTBEAT = text("""
    INSERT INTO partner_outbox (client_id, generation, sequence, key, event_type, token, event_id, created_at)
    SELECT :client, generation, :sequence, :key, :kind, '', :event_id, clock_timestamp() FROM exchange_state""")
_WAKE = text(f"NOTIFY {CHANNEL}")


@dataclass(frozen=True, slots=True)
class News:
    """What a client's topic is to say of one resource of a child; `version_id` is "" where it went."""

    kind: str
    child_id: UUID
    type: str
    id: UUID
    version_id: str = ""


class Numbering:
    """Writes events to `partner_outbox`, in the caller's transaction."""

    def __init__(self, ids: Ids, key: bytes) -> None:
        self._ids = ids
        self._key = key

    async def store(self, conn: AsyncConnection, client: str, news: Iterable[News]) -> int:
        """Numbers and stores events, and notes what the client has been told; returns how many.

        The caller holds the lock of the client's agency, exclusively or with the topic's.
        """
        ordered = list(news)
        if ordered:
            await _STORE.run(conn, self._columns(client, ordered))
        return len(ordered)

    async def heartbeat(self, conn: AsyncConnection, client: str) -> None:
        """Stores a sign of life."""
        named = {"client": client, "key": HEARTBEAT_KEY}
        sequence = (await conn.execute(_NEXT, named)).scalar_one()
        row = named | {"sequence": sequence, "kind": HEARTBEAT, "event_id": self._ids.uuid()}
        await conn.execute(_HEARTBEAT, row)
        await conn.execute(_WAKE)

    def key(self, client: str, child_id: UUID) -> str:
        """The child's pseudonym on the client's topic."""
        return pseudonym(self._key, client, child_id)

    def _columns(self, client: str, news: Sequence[News]) -> dict[str, object]:
        keys = {child_id: self.key(client, child_id) for child_id in {item.child_id for item in news}}
        return {
            "client": client,
            "keys": [keys[item.child_id] for item in news],
            "kinds": [item.kind for item in news],
            "types": [item.type for item in news],
            "ids": [item.id for item in news],
            "versions": [item.version_id for item in news],
            "tokens": [self._ids.token() for _ in news],
            "event_ids": [self._ids.uuid() for _ in news],
        }
