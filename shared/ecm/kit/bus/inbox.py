"""Every effect of an event once: its id is noted in the effect's own transaction."""

from sqlalchemy.dialects.postgresql import insert

from ecm.kit.db.tables import inbox
from ecm.kit.db.uow import Tx

_NOTE = insert(inbox).on_conflict_do_nothing().returning(inbox.c.event_id)


async def once(tx: Tx, consumer: str, event_id: str) -> bool:
    """Whether `consumer` meets the event for the first time; False: its effect is here already, do nothing."""
    values = {"consumer": consumer, "event_id": event_id, "received_at": tx.now}
    return (await tx.conn.execute(_NOTE, values)).first() is not None
