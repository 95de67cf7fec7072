"""From what is stored to the set that the exchange enforces; within a transaction, under the subject's lock."""

from dataclasses import dataclass, replace
from uuid import UUID

from ecm.api.exchange.v1 import exchange_service_pb2 as exchange
from ecm.consent.model import consent as consents
from ecm.consent.model import override as overrides
from ecm.consent.model.dossier import Dossier
from ecm.consent.model.facts import dossier_of
from ecm.consent.model.grants import compile_grants
from ecm.consent.store import agreements, facts, records, sets
from ecm.consent.wire import child_set, region_set, takes_away
from ecm.kit.db.uow import Tx


async def load_dossier(tx: Tx, child_id: UUID) -> Dossier:
    """Everything that the rules need of one child."""
    found = dossier_of(str(child_id), await facts.of_child(tx, child_id), await facts.narrowings_of(tx, child_id))
    given = [
        consents.summary(
            str(one.record.record_id), str(one.record.case_id), one.record.content, one.ordinal, tx.region.zone
        )
        for one in await records.consents_of(tx, child_id)
    ]
    opened = [overrides.summary(str(one.record_id), one.content) for one in await records.overrides_of(tx, child_id)]
    return replace(found, consents=tuple(given), overrides=tuple(opened))


@dataclass(frozen=True, slots=True)
class Compiled:
    """The subject's set as it is now: its version, and whether it took something away."""

    version: sets.Version
    narrows: bool


async def recompile(tx: Tx, child_id: UUID, *, narrowing: bool = False) -> Compiled:
    """The child's set as it is now; a new one where it changed, none (0, 0) before the first grant.

    `narrowing`: no lease is given until the exchange has acknowledged it,
    changed or not. The caller holds the child's lock.
    """
    await agreements.hold_region(tx)
    dossier = await load_dossier(tx, child_id)
    grants = compile_grants(dossier, await agreements.lines(tx))
    message = child_set(str(child_id), grants, dossier.withheld)
    if not grants and await sets.find(tx.conn, child_id) is None:
        # The exchange holds nothing of a child before the first grant; nothing narrows there either.
        return Compiled(sets.NOTHING, narrows=narrowing)
    return await _put(tx, child_id, message, narrowing=narrowing)


async def recompile_region(tx: Tx, *, narrowing: bool = False) -> Compiled:
    """The region's set as it is now. The caller holds the region's lock."""
    message = region_set(await agreements.lines(tx), tx.region.clients, await agreements.blocked(tx))
    return await _put(tx, sets.REGION, message, narrowing=narrowing)


async def _put(
    tx: Tx, subject: UUID, message: exchange.ApplyGrantsRequest | exchange.ApplyRegionRequest, *, narrowing: bool
) -> Compiled:
    old = await sets.find(tx.conn, subject)
    new = message.SerializeToString(deterministic=True)
    if old is not None and old.message == new:
        if narrowing:
            await sets.mark_narrowed(tx.conn, subject)
        return Compiled(old.version, narrows=narrowing)
    narrows = narrowing or (old is not None and takes_away(old.message, message))
    return Compiled(await sets.save(tx.conn, subject, new, narrows=narrows), narrows)
