"""Stores a client's events with their numbers: gapless per client and key within a generation (design §3.7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange.streams.events import HEARTBEAT, UNAVAILABLE, pseudonym
from ecm.kit.ids import Ids

CHANNEL: Final = "ecm_partner_outbox"
HEARTBEAT_KEY: Final = "heartbeat"

_DATAREF = text("""
    INSERT INTO dataref (token, client_id, type, id) VALUES (:token, :client, :type, :id)
    ON CONFLICT (client_id, type, id) DO UPDATE SET token = dataref.token RETURNING token""")
# The counter's row is locked until the commit: the next number is given out after this one is certain.
_NUMBER = text("""
    INSERT INTO event_counter (client_id, key, n) VALUES (:client, :key, 1)
    ON CONFLICT (client_id, key) DO UPDATE SET n = event_counter.n + 1 RETURNING n""")
_STORE = text("""
    INSERT INTO partner_outbox (client_id, generation, sequence, key, event_type, token, event_id, created_at)
    SELECT :client, generation, :sequence, :key, :kind, :token, :event_id, clock_timestamp() FROM exchange_state""")
_TELL = text("""
    INSERT INTO told (client_id, type, id, version_id) VALUES (:client, :type, :id, :version)
    ON CONFLICT (client_id, type, id) DO UPDATE SET version_id = excluded.version_id""")
_UNTELL = text("DELETE FROM told WHERE client_id = :client AND type = :type AND id = :id")
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
        stored = 0
        for item in news:
            await self._note(conn, client, item)
            named = {"client": client, "type": item.type, "id": item.id}
            token = (await conn.execute(_DATAREF, named | {"token": self._ids.token()})).scalar_one()
            await self._number(conn, client, pseudonym(self._key, client, item.child_id), item.kind, token)
            stored += 1
        if stored:
            await conn.execute(_WAKE)
        return stored

    async def heartbeat(self, conn: AsyncConnection, client: str) -> None:
        """Stores a sign of life."""
        await self._number(conn, client, HEARTBEAT_KEY, HEARTBEAT, "")
        await conn.execute(_WAKE)

    async def _note(self, conn: AsyncConnection, client: str, item: News) -> None:
        named = {"client": client, "type": item.type, "id": item.id}
        if item.kind == UNAVAILABLE:
            await conn.execute(_UNTELL, named)
        else:
            await conn.execute(_TELL, named | {"version": item.version_id})

    async def _number(self, conn: AsyncConnection, client: str, key: str, kind: str, token: str) -> None:
        sequence = (await conn.execute(_NUMBER, {"client": client, "key": key})).scalar_one()
        row = {"client": client, "key": key, "kind": kind, "token": token}
        await conn.execute(_STORE, row | {"sequence": sequence, "event_id": self._ids.uuid()})
