"""Finds what a write refers to, as far as the caller may see it: under its agency's lock, by the one predicate.

Nothing found here leaves: record ids go into the command, and what is answered
goes through `release.py`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.exchange.disclosure.predicate import consent_predicate
from ecm.exchange.intake.elements import Target
from ecm.exchange.intake.references import Seen
from ecm.exchange.locks import share_agency
from ecm.exchange.mapping.ids import owning_record

_SEEN = consent_predicate(
    "r",
    recipient="CAST(:recipient AS text)",
    purpose="CAST(:purpose AS text)",
    at="CAST(:at AS timestamptz)",
)
_FROM = "FROM resource r LEFT JOIN projected_record p ON p.record_id = r.record_id"
_COLUMNS = """r.type, r.id, r.record_id, r.child_id, r.version_id, r.last_updated,
    coalesce(p.kind, '') AS kind, coalesce(p.projected_version, 0) AS record_version"""

# The purpose and the instant are read after the lock; see disclose_sql.py.
_NOW = text("""
    SELECT clock_timestamp() AS at, (SELECT c.purpose FROM client c
     WHERE c.client_id = :client AND c.agency = :agency AND NOT c.blocked) AS purpose""")
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE r.type = :type AND r.id = :id AND r.child_id IS NOT NULL AND {_SEEN}")
_CASES = text(f"""
    SELECT DISTINCT r.record_id {_FROM} WHERE r.type = 'EpisodeOfCare' AND r.child_id = :child AND {_SEEN} LIMIT 2""")
_INVITATION = text(f"""
    SELECT r.record_id {_FROM} WHERE r.type = 'Task' AND r.child_id = :child AND r.only_for = CAST(:recipient AS text)
       AND convert_from(r.body, 'UTF8')::jsonb #>> '{{focus,reference}}' = :focus AND {_SEEN} LIMIT 1""")


class Look:
    """One look at what a caller may see, at one instant."""

    def __init__(self, conn: AsyncConnection, who: Mapping[str, Any]) -> None:
        self._conn = conn
        self._who = who

    async def resource(self, target: Target) -> Seen | None:
        """The resource, if the caller can see it; a directory entry belongs to no child and isn't one."""
        row = (await self._conn.execute(_ONE, {"type": target.type, "id": target.id, **self._who})).first()
        return _seen(row) if row is not None else None

    async def resources(self, targets: Iterable[Target]) -> dict[Target, Seen]:
        """Those that the caller can see."""
        found = {target: await self.resource(target) for target in dict.fromkeys(targets)}
        return {target: seen for target, seen in found.items() if seen is not None}

    async def only_case(self, child_id: UUID) -> UUID | None:
        """The child's case, where the caller sees exactly one."""
        rows = (await self._conn.execute(_CASES, {"child": child_id, **self._who})).all()
        return rows[0].record_id if len(rows) == 1 else None

    async def invitation(self, appointment: Seen) -> UUID | None:
        """The caller's own invitation to the meeting: its agency's Task that is about the Appointment."""
        values = {"child": appointment.child_id, "focus": f"Appointment/{appointment.id}", **self._who}
        row = (await self._conn.execute(_INVITATION, values)).first()
        return row.record_id if row is not None else None


class Lookup:
    """Begins looks."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def look(self, caller: PartnerCaller) -> AsyncIterator[Look]:
        """Within, the agency's grants stay as they are. A client that isn't admitted sees nothing."""
        async with self._engine.begin() as conn:
            await share_agency(conn, caller.agency)
            row = (await conn.execute(_NOW, {"client": caller.client, "agency": caller.agency})).one()
            # No grant has the purpose "": without a client nothing but directory entries would be found.
            yield Look(conn, {"recipient": caller.agency, "purpose": row.purpose or "", "at": row.at})

    async def now(self, caller: PartnerCaller, target: Target) -> Seen | None:
        """The resource as the caller can see it now."""
        async with self.look(caller) as look:
            return await look.resource(target)


def _seen(row: Row[Any]) -> Seen:
    return Seen(
        type=row.type,
        id=row.id,
        record_id=owning_record(row.record_id),
        child_id=row.child_id,
        kind=row.kind,
        record_version=row.record_version,
        version_id=row.version_id,
        last_updated=row.last_updated,
    )
