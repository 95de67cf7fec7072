"""Replaces the set of resources which a record yields, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange.large import off_the_loop
from ecm.exchange.mapping import MappedResource
from ecm.exchange.mapping.ids import record_ids
from ecm.exchange.projection.served import Key, Wanted, wanted
from ecm.exchange.projection.writing import Gone, New, write
from ecm.exchange.tables.resources import resource
from ecm.kit.db.direct import Direct
from ecm.kit.ids import Ids

Standing = dict[Key, Any]

# FHIR's instants have milliseconds here: the column and the bytes must say the same.
_STANDING = Direct("""
    SELECT n.at, r.pk, r.type, r.id, r.view, r.categories, r.only_for, r.version_id, r.last_updated, r.body, r.hidden
      FROM (SELECT date_trunc('milliseconds', clock_timestamp()) AS at) n
      LEFT JOIN resource r ON r.record_id = ANY(:records)""")


class Change(IntEnum):
    """What a replacement did to what is served."""

    NOTHING = 0
    WRITTEN = 1
    """All that changed stands there."""
    GONE = 2
    """Something went."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Writes the resources of one record: `child_id` is None for the directory, `size` that of its documents."""

    conn: AsyncConnection
    ids: Ids
    record_id: UUID
    child_id: UUID | None
    size: int = 0

    async def apply(self, resources: list[MappedResource]) -> Change:
        """Makes them the record's resources; returns what changed of what is served.

        A view whose bytes are the same keeps its version. A new one gets a random
        version id: none is a counter, none is used again after a restore. What the
        record no longer yields leaves a last version that says it is gone.
        """
        rows = await _STANDING.all(self.conn, {"records": list(record_ids(self.record_id))})
        at: datetime = rows[0].at
        standing: Standing = {(row.type, row.id, row.view): row for row in rows if row.pk is not None}
        aims = wanted(resources)
        kept, news = await off_the_loop(self.size, self._rendered, standing, aims, at)
        gone = [Gone(row.pk, self._version_id()) for key, row in standing.items() if key not in aims]
        if news or gone:
            await write(self.conn, self.child_id, at, news, gone)
        relabelled = await self._relabel(kept.values())
        if gone:
            return Change.GONE
        return Change.WRITTEN if news or relabelled else Change.NOTHING

    def _rendered(
        self, standing: Standing, aims: dict[Key, Wanted], at: datetime
    ) -> tuple[dict[Key, tuple[Any, Wanted]], list[New]]:
        """What stays as it stands, and what is written."""
        kept = {key: (standing[key], aim) for key, aim in aims.items() if key in standing and _same(standing[key], aim)}
        return kept, [self._new(standing.get(key), aim, at) for key, aim in aims.items() if key not in kept]

    def _new(self, row: Any | None, aim: Wanted, at: datetime) -> New:
        version_id = self._version_id()
        return New(aim, version_id, aim.served(version_id, at), row.pk if row is not None else None)

    def _version_id(self) -> str:
        return self.ids.uuid().hex

    async def _relabel(self, kept: Iterable[tuple[Any, Wanted]]) -> bool:
        """Same bytes; perhaps other categories, and shown again where it was hidden."""
        other = [(row, aim) for row, aim in kept if row.hidden or not _labelled(row, aim)]
        for row, aim in other:
            values = {"categories": list(aim.categories), "only_for": aim.only_for, "hidden": False}
            await self.conn.execute(update(resource).where(resource.c.pk == row.pk).values(values))
        return bool(other)


def _same(row: Any, aim: Wanted) -> bool:
    """Whether the very bytes stand there already."""
    return bytes(row.body) == aim.served(row.version_id, row.last_updated)


def _labelled(row: Any, aim: Wanted) -> bool:
    return list(row.categories) == list(aim.categories) and row.only_for == aim.only_for
