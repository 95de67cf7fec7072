"""Learns what widens from its owners: at an event, or at a command that names a case not heard of yet."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.api.consent.v1 import consent_records_pb2 as content
from ecm.consent.model import consent as consents
from ecm.consent.model import rules
from ecm.consent.model.facts import KINDS, Fact, dossier_of, fact_of
from ecm.consent.store import facts, records
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason

Fetch = Callable[[str, UUID, int], Awaitable[Sequence[RecordVersion]]]
"""Asks an owner ("referrals", "formulation") for the versions of a record above the last one known."""

NO_CASE = "There is no case with this id."


class Learning:
    """Keeps the facts of others' records up to date."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def case(self, tx: Tx, case_id: UUID, *, fresh: bool = False) -> Fact:
        """The case, under its child's lock. NOT_FOUND outside of the caller's YOTs.

        The owner is asked where the case isn't known; with `fresh` also where
        it counts as closed, since its reopening may not have been heard of.
        """
        known = await facts.find(tx, case_id)
        if known is None or (fresh and known.kind == "CASE" and not await stands_open(tx, known)):
            await self.follow(tx, "referrals", case_id)
            known = await facts.find(tx, case_id)
        if known is None or known.kind != "CASE" or not tx.scope.admits(known.yot):
            raise DomainError(Reason.NOT_FOUND, NO_CASE)
        await facts.lock_child(tx, UUID(known.child_id))
        return await facts.find(tx, case_id) or known

    async def child(self, tx: Tx, child_id: UUID) -> Fact:
        """The child's file, under its lock. NOT_FOUND outside of the caller's YOTs."""
        known = await facts.find(tx, child_id)
        if known is None:
            await self.follow(tx, "referrals", child_id)
            known = await facts.find(tx, child_id)
        if known is None or known.kind != "CHILD" or not tx.scope.admits(known.yot):
            raise DomainError(Reason.NOT_FOUND, "There is no child with this id.")
        await facts.lock_child(tx, child_id)
        return await facts.find(tx, child_id) or known

    async def follow(self, tx: Tx, owner: str, record_id: UUID) -> frozenset[UUID]:
        """Takes in a record's newer versions; the children whose sets may have changed, locked."""
        before = await facts.find(tx, record_id)
        versions = await self._versions(owner, record_id, before.version if before else 0)
        if not versions:
            return frozenset()
        found = [fact_of(version) for version in versions]
        children = {UUID(fact.child_id) for fact in found} | ({UUID(before.child_id)} if before else set())
        for child_id in sorted(children):
            await facts.lock_child(tx, child_id)
        for fact in found:
            await facts.save(tx, fact)
            await expire_of_closed(tx, fact)
        await self._surroundings(tx, found[-1])
        return frozenset(children)

    async def _versions(self, owner: str, record_id: UUID, after: int) -> Sequence[RecordVersion]:
        try:
            versions = await self._fetch(owner, record_id, after)
        except DomainError as error:
            if error.reason is Reason.NOT_FOUND:
                return []
            raise
        return [version for version in versions if version.kind in KINDS[owner]]

    async def _surroundings(self, tx: Tx, fact: Fact) -> None:
        """What refers to a file or case that hasn't been heard of: there is no order between topics."""
        for needed in (fact.child_id, fact.case_id):
            if needed and needed != fact.record_id and await facts.find(tx, UUID(needed)) is None:
                await self.follow(tx, "referrals", UUID(needed))


async def stands_open(tx: Tx, case: Fact) -> bool:
    """Whether the case is open here: neither its record nor a narrowing that is under way says otherwise."""
    closing = await facts.narrowings_of(tx, UUID(case.child_id))
    return rules.is_open(dossier_of(case.child_id, [case], closing), case.record_id)


async def expire_of_closed(tx: Tx, fact: Fact) -> None:
    """A closed case ends its consent for good: reopening asks again."""
    if fact.kind == "CASE" and (fact.closed or not fact.terms["open"]):
        await expire_of_case(tx, UUID(fact.child_id), UUID(fact.record_id))


async def expire_of_case(tx: Tx, child_id: UUID, case_id: UUID) -> None:
    """What was given in the case has ended."""
    for one in records.of_case(await records.consents_of(tx, child_id), case_id):
        if one.record.content.state == content.CONSENT_STATE_GIVEN:
            ended = consents.moved(one.record.content, consents.EXPIRED)
            await records.save_consent(tx, one.record, ended, reason="The case was closed.")
            await records.clear_deadlines(tx, one.record.record_id)
