"""Replaces the set of resources which a record yields, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ecm.exchange import tables
from ecm.exchange.mapping import MappedResource
from ecm.exchange.mapping.ids import record_ids
from ecm.exchange.projection.served import Wanted, wanted
from ecm.exchange.search.index import IndexRows, index_rows
from ecm.exchange.tables import resource, resource_version
from ecm.kit.ids import Ids

Values = dict[str, Any]

# FHIR's instants have milliseconds here: the column and the bytes must say the same.
_NOW = text("SELECT date_trunc('milliseconds', clock_timestamp())")


@dataclass(frozen=True, slots=True)
class Replacement:
    """Writes the resources of one record: `child_id` is None for the directory."""

    conn: AsyncConnection
    ids: Ids
    record_id: UUID
    child_id: UUID | None

    async def apply(self, resources: list[MappedResource]) -> bool:
        """Makes them the record's resources; returns whether anything that is served changed.

        A view whose bytes are the same keeps its version. A new one gets a random
        version id: none is a counter, none is used again after a restore. What the
        record no longer yields leaves a last version that says it is gone.
        """
        at: datetime = (await self.conn.execute(_NOW)).scalar_one()
        current = {(row.type, row.id, row.view): row for row in await self._current()}
        aims = wanted(resources)
        gone = [row for key, row in current.items() if key not in aims]
        changed = [await self._settle(current.get(key), aim, at) for key, aim in aims.items()]
        for row in gone:
            await self._remove(row, at)
        return bool(gone) or any(changed)

    async def _current(self) -> Iterable[Row[Any]]:
        return await self.conn.execute(select(resource).where(resource.c.record_id.in_(record_ids(self.record_id))))

    async def _settle(self, row: Row[Any] | None, aim: Wanted, at: datetime) -> bool:
        if row is not None and bytes(row.body) == aim.served(row.version_id, row.last_updated):
            return await self._relabel(row, aim)
        version_id = self.ids.uuid().hex
        version = {"version_id": version_id, "last_updated": at}
        body = aim.served(version_id, at)
        values = self._labels(aim) | version | {"body": body, "hidden": False}
        pk = await self._store(row, aim, values)
        await self._index(pk, index_rows(aim.body))
        await self._keep(aim, version | {"body": body})
        return True

    async def _relabel(self, row: Row[Any], aim: Wanted) -> bool:
        """Same bytes; perhaps other categories, and shown again where it was hidden."""
        labels = self._labels(aim)
        if not row.hidden and all(getattr(row, name) == value for name, value in labels.items()):
            return False
        values = labels | {"hidden": False}
        await self.conn.execute(update(resource).where(resource.c.pk == row.pk).values(values))
        return True

    def _labels(self, aim: Wanted) -> Values:
        return {"categories": list(aim.categories), "only_for": aim.only_for}

    def _named(self, aim: Wanted) -> Values:
        resource_type, identity, view = aim.key
        owner = {"child_id": self.child_id, "record_id": aim.record_id}
        return {"type": resource_type, "id": identity, "view": view} | owner

    async def _store(self, row: Row[Any] | None, aim: Wanted, values: Values) -> int:
        if row is None:
            statement = insert(resource).values(self._named(aim) | values).returning(resource.c.pk)
            return int((await self.conn.execute(statement)).scalar_one())
        await self.conn.execute(update(resource).where(resource.c.pk == row.pk).values(values))
        for table in (tables.search_token, tables.search_date, tables.search_reference, tables.search_string):
            await self.conn.execute(delete(table).where(table.c.resource_pk == row.pk))
        return int(row.pk)

    async def _index(self, pk: int, rows: IndexRows) -> None:
        wide = (
            (tables.search_token, ("param", "system", "code"), rows.tokens),
            (tables.search_date, ("param", "lo", "hi"), rows.dates),
            (tables.search_reference, ("param", "target_type", "target_id"), rows.references),
            (tables.search_string, ("param", "value"), rows.strings),
        )
        for table, columns, found in wide:
            if found:
                values = [dict(zip(columns, item, strict=True)) | {"resource_pk": pk} for item in found]
                await self.conn.execute(insert(table), values)

    async def _keep(self, aim: Wanted, version: Values) -> None:
        kept = {"categories": list(aim.categories), "only_for": aim.only_for, "deleted": False}
        await self.conn.execute(insert(resource_version).values(self._named(aim) | kept | version))

    async def _remove(self, row: Row[Any], at: datetime) -> None:
        await self.conn.execute(delete(resource).where(resource.c.pk == row.pk))
        same = ("type", "id", "view", "child_id", "record_id", "categories", "only_for")
        gone = {name: getattr(row, name) for name in same}
        gone |= {"version_id": self.ids.uuid().hex, "last_updated": at, "body": b"", "deleted": True}
        await self.conn.execute(insert(resource_version).values(gone))
