"""Agreements that haven't ended: by key, each with the version in force; and the blocked clients."""

from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.agreement import lines_of
from ecm.consent.model.dossier import Line
from ecm.consent.tables import agreement, blocked_client
from ecm.kit.db.uow import Tx


async def lock_region(tx: Tx) -> None:
    """Waits until nobody else changes the region's set; held until the transaction ends."""
    await tx.conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('ecm-consent:region', 0))"))


async def hold_region(tx: Tx) -> None:
    """Keeps the region's lines as they are until the transaction ends.

    So a child compiled beside an approval either reads the new lines, or is
    among those that the approval queues to be compiled anew. Taken after the
    child's lock, never before: whoever holds the region exclusively takes no child's.
    """
    await tx.conn.execute(text("SELECT pg_advisory_xact_lock_shared(hashtextextended('ecm-consent:region', 0))"))


async def by_key(tx: Tx, key: str) -> UUID | None:
    """The agreement of that key."""
    found: UUID | None = (
        await tx.conn.execute(select(agreement.c.agreement_id).where(agreement.c.key == key))
    ).scalar_one_or_none()
    return found


async def in_force(tx: Tx, agreement_id: UUID) -> records.Agreement | None:
    """The approved version, whatever is proposed beside it."""
    query = select(agreement.c.content).where(agreement.c.agreement_id == agreement_id)
    content = (await tx.conn.execute(query)).scalar_one_or_none()
    return records.Agreement.FromString(content) if content is not None else None


async def add(tx: Tx, agreement_id: UUID, key: str) -> None:
    """A new agreement, nothing of it in force."""
    await tx.conn.execute(insert(agreement).values(agreement_id=agreement_id, key=key, content=None))


async def put_in_force(tx: Tx, agreement_id: UUID, content: records.Agreement) -> None:
    """The version that holds from now on."""
    row = agreement.update().where(agreement.c.agreement_id == agreement_id)
    await tx.conn.execute(row.values(content=content.SerializeToString(deterministic=True)))


async def remove(tx: Tx, agreement_id: UUID) -> None:
    """The agreement has ended; its key is free again."""
    await tx.conn.execute(delete(agreement).where(agreement.c.agreement_id == agreement_id))


async def lines(tx: Tx) -> list[Line]:
    """Every line in force or to come, in a fixed order."""
    query = select(agreement.c.content).where(agreement.c.content.is_not(None)).order_by(agreement.c.key)
    contents = (await tx.conn.execute(query)).scalars().all()
    return [line for content in contents for line in lines_of(records.Agreement.FromString(content), tx.region.zone)]


async def blocked(tx: Tx) -> frozenset[str]:
    """Clients that an administrator has blocked."""
    return frozenset((await tx.conn.execute(select(blocked_client.c.client_id))).scalars())


async def block(tx: Tx, client_id: str, reason: str) -> None:
    """Blocks a client."""
    values = {"client_id": client_id, "reason": reason, "blocked_by": tx.principal.id, "blocked_at": tx.now}
    await tx.conn.execute(insert(blocked_client).values(values).on_conflict_do_nothing())


async def unblock(tx: Tx, client_id: str) -> None:
    """Unblocks it."""
    await tx.conn.execute(delete(blocked_client).where(blocked_client.c.client_id == client_id))
