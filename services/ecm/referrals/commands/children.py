"""The child's file: registered, changed, opened further (checklist 34 to 44). What narrows stands in `narrowing.py`."""

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.referrals.v1.referrals_records_pb2 import Child
from ecm.api.referrals.v1.referrals_service_pb2 import (
    RegisterChildRequest,
    UnprotectDetailRequest,
    UpdateChildRequest,
)
from ecm.kit.db.uow import Tx
from ecm.kit.telemetry import logger
from ecm.referrals.commands.deciding import check_version, ref_of
from ecm.referrals.model import child as rules
from ecm.referrals.model.nhs_number import check_digit_fits
from ecm.referrals.model.protection import check_agencies, check_kind, unprotect
from ecm.referrals.model.refusals import required_text
from ecm.referrals.store import CHILD, claim_identifiers, get_child


async def register_child(tx: Tx, request: RegisterChildRequest) -> RecordRef:
    """A new file in one of the caller's YOTs."""
    required_text(request.yot, "yot")
    child = rules.register(request.child, tx.today, tx.region.consent.nhs_number_check)
    made = await tx.records.create(CHILD, child, child_id=None, yot=request.yot)
    await claim_identifiers(tx, made.record_id, made.yot, child)
    _warn_of_check_digit(tx, child)
    return ref_of(made)


async def update_child(tx: Tx, request: UpdateChildRequest) -> RecordRef:
    """The file with new details."""
    held = await get_child(tx, request.child_id, lock=True)
    check_version(held.version, request.expected_version)
    child = rules.revise(held.content, request.child, tx.region.consent.nhs_number_check)
    await claim_identifiers(tx, held.record_id, held.yot, child)
    _warn_of_check_digit(tx, child)
    return ref_of(await tx.records.update(held, child))


async def unprotect_detail(tx: Tx, request: UnprotectDetailRequest) -> RecordRef:
    """The end of a protection, or a further agency named: a widening, which reaches `consent` as an event."""
    held = await get_child(tx, request.child_id, lock=True)
    check_version(held.version, request.expected_version)
    check_kind(request.kind)
    check_agencies(request.further_agencies, (agency.id for agency in tx.region.agencies), "further_agencies")
    reason = required_text(request.reason, "reason")
    child = unprotect(held.content, request.kind, request.further_agencies)
    return ref_of(await tx.records.update(held, child, reason=reason))


def _warn_of_check_digit(tx: Tx, child: Child) -> None:
    """Where the region lets a wrong check digit pass, it is counted in the log, without the number."""
    if tx.region.consent.nhs_number_check == "warn" and child.nhs_number and not check_digit_fits(child.nhs_number):
        logger().warning("child.nhs_number_check_digit")
