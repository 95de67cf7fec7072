"""Fetches what an event or a command points at from its owner, and keeps the facts it tells."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.kit.auth.principal import service_principal
from ecm.kit.db.uow import Tx, UnitOfWork
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.monitoring.model.facts import KINDS_HEARD, FactName, facts_of
from ecm.monitoring.store import facts_of_cases, heard_version, keep_heard, known_case

_NEEDED = frozenset({FactName.MEETING_HELD, FactName.STAGE_PLACED})


class Owners(Protocol):
    """The services that own what `monitoring` hears of; NOT_FOUND and PEER_UNREACHABLE as DomainError."""

    async def versions(self, service: str, record_id: str, after: int) -> Sequence[RecordVersion]:
        """The record's versions above `after`, in order."""
        ...

    async def child_records(self, service: str, child_id: str) -> Sequence[RecordVersion]:
        """The newest version of each of the child's records."""
        ...


class Hearing:
    """What `monitoring` knows of the others' records: by events, and by asking where an event isn't here yet."""

    def __init__(self, uow: UnitOfWork, owners: Owners) -> None:
        self._uow = uow
        self._owners = owners

    async def hear(self, tx: Tx, service: str, record_id: str) -> None:
        """Brings the facts of one record up to date. PEER_UNREACHABLE where its owner can't be asked."""
        known = await heard_version(tx, UUID(record_id))
        await self._keep(tx, await self._owners.versions(service, record_id, known))

    async def know_case(self, case_id: str) -> None:
        """Asks `referrals` for a case whose event isn't here yet; a command may be quicker. NOT_FOUND as there."""
        wanted = parse_uuid(case_id, "case_id")
        async with self._uow.read(service_principal("monitoring")) as tx:
            if await known_case(tx, wanted) is not None:
                return
        versions = await self._case_versions(case_id)
        if not versions or versions[-1].kind != "CASE":
            # In the very words for another YOT's case: nobody learns that there is one.
            raise DomainError(Reason.NOT_FOUND, "There is no case with this id.", field="case_id")
        async with self._uow.begin(service_principal("monitoring")) as tx:
            await self._keep(tx, versions)

    async def _case_versions(self, case_id: str) -> Sequence[RecordVersion]:
        try:
            return await self._owners.versions("referrals", case_id, 0)
        except DomainError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return []

    async def know_formulation(self, case_id: str) -> None:
        """Asks `formulation` where meeting or stage of a known case aren't here yet."""
        wanted = UUID(case_id)
        async with self._uow.read(service_principal("monitoring")) as tx:
            case = await known_case(tx, wanted)
            names = {each.name for each in (await facts_of_cases(tx, [wanted])).get(wanted, [])}
        if case is None or names >= _NEEDED:
            return
        versions = await self._owners.child_records("formulation", str(case.child_id))
        async with self._uow.begin(service_principal("monitoring")) as tx:
            await self._keep(tx, versions)

    async def _keep(self, tx: Tx, versions: Sequence[RecordVersion]) -> None:
        by_record: dict[str, list[RecordVersion]] = defaultdict(list)
        for version in versions:
            by_record[version.record_id].append(version)
        # In one order everywhere, so that two transactions never wait for each other.
        for record_id in sorted(by_record):
            found = by_record[record_id]
            if found[-1].kind in KINDS_HEARD and (found[-1].case_id or found[-1].kind == "CASE"):
                await keep_heard(tx, found[-1], facts_of(found, tx.region.zone))
