"""An open transaction of a service: its connection, who acts, when, as far as what, and the events it sends."""

from datetime import date, datetime

from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.kit.auth.principal import Principal
from ecm.kit.db.direct import Direct
from ecm.kit.db.scope import Scope
from ecm.kit.ids import Ids
from ecm.kit.region import Region
from ecm.kit.trace import current_trace

OUTBOX_CHANNEL = "ecm_outbox"

# Ids follow the order of the events: they are given out after the sorting.
_SEND = Direct(f"""
    WITH sent AS (
        INSERT INTO outbox (event_id, key, type, value, traceparent, created_at)
        SELECT event_id, key, type, value, traceparent, created_at
          FROM unnest(CAST(:event_ids AS uuid[]), CAST(:keys AS text[]), CAST(:types AS text[]),
                      CAST(:values AS bytea[]), CAST(:traceparents AS text[]), CAST(:created_ats AS timestamptz[]))
               WITH ORDINALITY AS e (event_id, key, type, value, traceparent, created_at, place)
         ORDER BY place
    ) SELECT pg_notify('{OUTBOX_CHANNEL}', '')""")  # noqa: S608 - a constant of our own


class Transaction:
    """Everything in it happens at `now`, or not at all."""

    def __init__(
        self, conn: AsyncConnection, principal: Principal, now: datetime, *, region: Region, ids: Ids, scope: Scope
    ) -> None:
        self.conn = conn
        self.principal = principal
        self.now = now
        self.region = region
        self.ids = ids
        self.scope = scope
        self._outgoing: list[dict[str, object]] = []

    @property
    def today(self) -> date:
        """The calendar day in the region's zone: it decides ages and "until 12 March"."""
        return self.now.astimezone(self.region.zone).date()

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
        if self._outgoing:
            columns = {f"{name}s": [row[name] for row in self._outgoing] for name in self._outgoing[0]}
            await _SEND.run(self.conn, columns)
        self._outgoing.clear()
