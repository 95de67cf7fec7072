"""An open transaction of a service: its connection, who acts, when, as far as what, and the events it sends."""

from datetime import datetime

from google.protobuf.message import Message
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.kit.auth.principal import Principal
from ecm.kit.db.scope import Scope
from ecm.kit.db.tables import outbox
from ecm.kit.ids import Ids
from ecm.kit.region import Region
from ecm.kit.trace import current_trace

OUTBOX_CHANNEL = "ecm_outbox"


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
