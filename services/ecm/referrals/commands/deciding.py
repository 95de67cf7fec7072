"""What a decision on a case needs of its transaction: the day, the criteria, the life cycle, who decides."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1.referrals_records_pb2 import Case
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Criteria
from ecm.referrals.model.criteria import in_force
from ecm.referrals.model.stamp import Decision, Stamp
from ecm.referrals.model.states import OPEN, life_cycle
from ecm.referrals.store import cases_of, get_case


def criteria(tx: Tx) -> Criteria:
    """The criteria in force today."""
    return in_force(tx.region.criteria, tx.today)


def stamp(tx: Tx) -> Stamp:
    """Who acts, now, under which criteria."""
    return Stamp(tx.now, tx.principal.id, criteria(tx).version)


def decision(tx: Tx, reason: str = "") -> Decision:
    """A decision by the caller under the region's life cycle."""
    return Decision(life_cycle(tx.region.referral), stamp(tx), reason.strip())


def ref_of(record: Record[Any]) -> RecordRef:
    """Which record, and its version now."""
    return RecordRef(record_id=str(record.record_id), version=record.version)


async def case_at(tx: Tx, case_id: str, expected_version: int) -> Record[Case]:
    """The case, locked; VERSION_CONFLICT unless it is at the version that the caller knows.

    Checked before the life cycle is: a caller who knows an old state learns that, not what the new one forbids.
    """
    case = await get_case(tx, case_id, lock=True)
    check_version(case.version, expected_version)
    return case


def check_version(version: int, expected: int) -> None:
    """VERSION_CONFLICT unless the record is at the version that the caller knows."""
    if version != expected:
        raise DomainError(
            Reason.VERSION_CONFLICT,
            f"The record is at version {version}; read it again and repeat the command.",
            field="expected_version",
            metadata={"version": str(version)},
        )


async def check_no_other_open(tx: Tx, child_id: UUID) -> None:
    """ALREADY_EXISTS while the child has an open case. The caller holds the lock of the file."""
    for other in await cases_of(tx, child_id):
        if other.content.state in OPEN:
            metadata = {"case_id": str(other.record_id)}
            raise DomainError(Reason.ALREADY_EXISTS, "The child has an open case already.", metadata=metadata)


def check_on_panel(tx: Tx, yot: str) -> None:
    """PERMISSION_DENIED for a role that isn't on the panel; a region that names none leaves it to the policy."""
    panel: Iterable[str] = tx.region.role_bindings.panel
    held = {role for where, role in tx.principal.roles if where == yot}
    if panel and not held & set(panel):
        raise DomainError(Reason.PERMISSION_DENIED, f"The panel's decision is recorded by: {', '.join(panel)}.")


async def save_case(tx: Tx, held: Record[Case], case: Case, reason: str = "") -> RecordRef:
    """The case's next version."""
    return ref_of(await tx.records.update(held, case, reason=reason))
