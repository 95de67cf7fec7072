"""How far each record has come, and hiding of what can't follow."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.exchange.mapping.ids import record_ids
from ecm.exchange.tables.projection import projected_record
from ecm.kit.db.direct import Direct

_PROJECTED = Direct("""
    INSERT INTO projected_record AS p (record_id, child_id, service, kind, known_version, projected_version)
    VALUES (:record_id, :child_id, :service, :kind, :known_version, :known_version)
    ON CONFLICT (record_id) DO UPDATE SET
        known_version = greatest(p.known_version, excluded.known_version),
        projected_version = excluded.projected_version, hidden = false, failure = NULL""")
_VERSION = Direct("SELECT projected_version, hidden FROM projected_record WHERE record_id = :record")
_HELD = text("SELECT 1 FROM projected_child WHERE child_id = :child")
_HIDE = text("UPDATE resource SET hidden = true WHERE record_id = ANY(:records) AND NOT hidden")


@dataclass(frozen=True, slots=True)
class RecordAt:
    """A record of an owner, at a version."""

    service: str
    kind: str
    record_id: UUID
    child_id: UUID
    version: int

    @classmethod
    def of(cls, service: str, version: RecordVersion) -> "RecordAt":
        """What a fetched version is."""
        return cls(service, version.kind, UUID(version.record_id), UUID(version.child_id), version.version)

    def row(self) -> dict[str, object]:
        """Its row in `projected_record`, as it is known."""
        names = {"record_id": self.record_id, "child_id": self.child_id, "service": self.service, "kind": self.kind}
        return names | {"known_version": self.version}


async def is_projected(conn: AsyncConnection, child_id: UUID) -> bool:
    """Whether the exchange holds the child: from its first grant on, never before."""
    return (await conn.execute(_HELD, {"child": child_id})).first() is not None


async def projected_version(conn: AsyncConnection, record_id: UUID) -> tuple[int, bool]:
    """The version projected (0: none), and whether the record is hidden."""
    row = await _VERSION.first(conn, {"record": record_id})
    return (row.projected_version, row.hidden) if row else (0, False)


async def known(conn: AsyncConnection, service: str, record_id: UUID, version: int) -> RecordAt | None:
    """The record at a version, if it has been heard of before."""
    query = select(projected_record).where(projected_record.c.record_id == record_id)
    row = (await conn.execute(query)).first()
    return RecordAt(service, row.kind, record_id, row.child_id, version) if row else None


async def note_projected(conn: AsyncConnection, reached: RecordAt) -> None:
    """The version is projected, and shown."""
    await _PROJECTED.run(conn, reached.row())


async def note_failed(conn: AsyncConnection, reached: RecordAt, failure: str) -> bool:
    """A version is known that can't be projected: all that the record yields is hidden, in this transaction.

    Returns whether it is: a version that was projected meanwhile hides nothing. `failure` is an error's class.
    """
    done, _ = await projected_version(conn, reached.record_id)
    if done >= reached.version > 0:
        return False
    values: dict[str, object] = {"hidden": True, "failure": failure}
    newest = {"known_version": func.greatest(projected_record.c.known_version, reached.version)}
    statement = insert(projected_record).values(reached.row() | values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["record_id"], set_=values | newest))
    await conn.execute(_HIDE, {"records": list(record_ids(reached.record_id))})
    return True
