"""Follows the owners: fetches a record's newer versions, in order, under its lock, and replaces what it yields."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.exchange.large import off_the_loop
from ecm.exchange.locks import lock_record, lock_record_of
from ecm.exchange.mapping import MappedResource, MappingContext, map_record
from ecm.exchange.mapping.ids import record_ids
from ecm.exchange.projection.attention import look_at
from ecm.exchange.projection.document import document_patient
from ecm.exchange.projection.owners import FETCH_SECONDS, OWNERS, Owners
from ecm.exchange.projection.records import (
    RecordAt,
    is_projected,
    known,
    note_failed,
    note_projected,
    projected_version,
)
from ecm.exchange.projection.replace import Change, Replacement
from ecm.kit.db.failures import is_transient
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import Ids
from ecm.kit.telemetry import logger

_FETCHED = text("UPDATE projected_child SET fetched_at = clock_timestamp() WHERE child_id = :child")
_KEPT_BY = text("UPDATE projected_child SET yot = :yot WHERE child_id = :child AND yot <> :yot")
_UNFETCHED = text("SELECT 1 FROM projected_child WHERE child_id = :child AND fetched_at IS NULL")


Asked = asyncio.Task[Sequence[RecordVersion]] | None
"""What an owner is being asked for: the versions from the one on that an event names."""


class Projection:
    """The records of the children who have had a grant, as resources."""

    def __init__(self, engine: AsyncEngine, owners: Owners, context: MappingContext, ids: Ids) -> None:
        self._engine = engine
        self._owners = owners
        self._context = context
        self._ids = ids
        self._held: set[UUID] = set()

    async def project(self, service: str, record_id: UUID, at_least: int, deadline: float) -> None:
        """Projects the record to version `at_least` or later, until `deadline` (of `time.monotonic`).

        For a write that is to be read afterwards. Where it fails the record is
        hidden, and the error raised: PEER_UNREACHABLE, DEADLINE_EXCEEDED.
        """
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0.01)), self._engine.begin() as conn:
                await lock_record(conn, record_id)
                versions = await self._newer(conn, service, record_id, at_least)
                if versions and await is_projected(conn, UUID(versions[-1].child_id)):
                    await self._replace(conn, service, versions)
        except Exception as error:
            await self._hide_alone(service, record_id, at_least, error)
            if isinstance(error, TimeoutError):
                raise DomainError(Reason.DEADLINE_EXCEEDED, "It is recorded; its projection takes longer.") from error
            raise

    @contextmanager
    def asking(self, reached: RecordAt) -> Iterator[Asked]:
        """Asks the owner already, beside what `follow` does before; only of a child of whom it is known to be held."""
        if reached.child_id not in self._held:
            yield None
            return
        asked = asyncio.ensure_future(self._owners.versions(reached.service, reached.record_id, reached.version - 1))
        # It may fail with nobody waiting for it any more.
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            yield asked
        finally:
            asked.cancel()

    async def follow(self, conn: AsyncConnection, reached: RecordAt, asked: Asked = None) -> None:
        """The same in the caller's transaction, by an event; nothing for a child who never had a grant."""
        if not await lock_record_of(conn, reached.record_id, reached.child_id):
            return
        self._held.add(reached.child_id)
        versions = await self._newer(conn, reached.service, reached.record_id, reached.version, asked)
        if versions:
            await self._replace(conn, reached.service, versions)

    async def fetch_child(self, child_id: UUID) -> None:
        """All of the child's records, from every owner: once, after the first grant.

        A record that can't be mapped is hidden, the others go on. Raises where an owner is away.
        """
        if not await self._is_unfetched(child_id):
            return
        for service in OWNERS:
            async for version in self._owners.of_child(service, child_id):
                await self._fetch_one(service, version)
        async with self._engine.begin() as conn:
            await conn.execute(_FETCHED, {"child": child_id})

    async def fail(self, conn: AsyncConnection, reached: RecordAt, error: Exception) -> None:
        """Notes a failed attempt and hides the record, in the caller's transaction."""
        await lock_record(conn, reached.record_id)
        why = type(error).__name__
        if await is_projected(conn, reached.child_id) and await note_failed(conn, reached, why):
            named = {"record_id": str(reached.record_id), "kind": reached.kind, "version": reached.version}
            logger(**named).warning("projection.hidden", reason=why)
            await look_at(conn, reached.child_id)

    async def _newer(
        self, conn: AsyncConnection, service: str, record_id: UUID, at_least: int, asked: Asked = None
    ) -> Sequence[RecordVersion]:
        """The versions that aren't projected yet; none where `at_least` is, and shown. The record is locked."""
        done, hidden = await projected_version(conn, record_id)
        if done >= at_least and not hidden:
            return []
        # A hidden record whose newest version is projected already is mapped again.
        after = done if done < at_least else done - 1
        # Of a hidden record a newer version is known, and perhaps stricter: what was asked before doesn't count.
        early = None if hidden or after != at_least - 1 or _failed(asked) else asked
        async with asyncio.timeout(FETCH_SECONDS):
            versions = await (early or self._owners.versions(service, record_id, after))
        if not versions or versions[-1].version < at_least:
            raise DomainError(Reason.PEER_UNREACHABLE, "The owner doesn't show the version yet.")
        return versions

    async def _is_unfetched(self, child_id: UUID) -> bool:
        async with self._engine.connect() as conn:
            return (await conn.execute(_UNFETCHED, {"child": child_id})).first() is not None

    async def _fetch_one(self, service: str, version: RecordVersion) -> None:
        reached = RecordAt.of(service, version)
        try:
            async with self._engine.begin() as conn:
                await lock_record(conn, reached.record_id)
                done, _ = await projected_version(conn, reached.record_id)
                if done < reached.version:
                    await self._replace(conn, service, [version])
        except Exception as error:
            if is_transient(error):
                raise
            await self._fail_alone(reached, error)

    async def _replace(self, conn: AsyncConnection, service: str, versions: Sequence[RecordVersion]) -> None:
        """Each version in order; one in between that can't be mapped is passed over, the newest must be."""
        reached = RecordAt.of(service, versions[-1])
        context = self._context
        if reached.kind == "REPORT":
            context = replace(context, patient=await document_patient(conn, reached))
        size = sum(len(version.content.value) for version in versions)
        replacement = Replacement(conn, self._ids, reached.record_id, reached.child_id, size)
        changed = [await _apply(replacement, *found) for found in await off_the_loop(size, _mapped, versions, context)]
        await note_projected(conn, reached)
        if reached.record_id == reached.child_id:
            await conn.execute(_KEPT_BY, {"child": reached.child_id, "yot": versions[-1].yot})
        if any(changed):
            gone = Change.GONE in changed
            await look_at(conn, reached.child_id, None if gone else record_ids(reached.record_id))

    async def _fail_alone(self, reached: RecordAt, error: Exception) -> None:
        async with self._engine.begin() as conn:
            await self.fail(conn, reached, error)

    async def _hide_alone(self, service: str, record_id: UUID, version: int, error: Exception) -> None:
        async with self._engine.begin() as conn:
            reached = await known(conn, service, record_id, version)
            if reached is not None:
                await self.fail(conn, reached, error)


def _mapped(
    versions: Sequence[RecordVersion], context: MappingContext
) -> list[tuple[RecordVersion, list[MappedResource]]]:
    earlier = []
    for version in versions[:-1]:
        try:
            earlier.append((version, map_record(version, context)))
        except Exception as error:
            named = {"record_id": version.record_id, "version": version.version}
            logger(**named).warning("projection.passed_over", exc_info=error)
    return [*earlier, (versions[-1], map_record(versions[-1], context))]


async def _apply(replacement: Replacement, version: RecordVersion, resources: list[MappedResource]) -> Change:
    """One line per version, in the trace of the command that made it: here its way ends."""
    changed = await replacement.apply(resources)
    named = {"record_id": version.record_id, "kind": version.kind, "version": version.version}
    logger(**named).info("projection.replaced", count=len(resources))
    return changed


def _failed(asked: Asked) -> bool:
    return asked is not None and asked.done() and (asked.cancelled() or asked.exception() is not None)
