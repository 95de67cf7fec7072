"""The region file's agreements, submitted to `consent`: proposed by one person, approved by another.

In a deployment both are people at work. Here the demo's administrator proposes and its data-protection officer
approves, so that a fresh state can share anything at all.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ecm.admin.calls import Caller, channel
from ecm.admin.running import RunningRegion
from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from ecm.kit.agreements import Agreement, AgreementLine

if TYPE_CHECKING:
    from ecm.api.consent.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub

PROPOSER, APPROVER = "administrator", "data-protection-officer"


async def seed_region(running: RunningRegion) -> list[str]:
    """Bring `consent` to the region file's agreements; answers the keys of those that changed. Idempotent."""
    region = await asyncio.to_thread(running.load_region)
    proposer = Caller("consent", await asyncio.to_thread(running.token, person=PROPOSER))
    approver = Caller("consent", await asyncio.to_thread(running.token, person=APPROVER))
    async with channel(running.addresses["consent"]) as opened:
        stub: ConsentServiceAsyncStub = ConsentServiceStub(opened)
        listed = await proposer.ask(stub.ListAgreements, service.ListAgreementsRequest())
        present = {entry.agreement.key: entry for entry in listed.agreements}
        return [
            agreement.id
            for agreement in region.agreements
            if await _submit(stub, (proposer, approver), agreement, present)
        ]


async def _submit(
    stub: "ConsentServiceAsyncStub",
    people: tuple[Caller, Caller],
    agreement: Agreement,
    present: Mapping[str, service.ListedAgreement],
) -> bool:
    """Propose and approve one agreement, unless its content is in force already."""
    proposer, approver = people
    wanted = to_wire(agreement)
    known = present.get(agreement.id)
    if known is None or not same(known.agreement, wanted):
        ref = (await proposer.ask(stub.ProposeAgreement, _proposal(wanted, known), key=_key(wanted, known))).ref
    elif known.agreement.state == records.AGREEMENT_STATE_PROPOSED:
        ref = known.ref
    else:
        return False
    request = service.ApproveAgreementRequest(agreement_id=ref.record_id, expected_version=ref.version)
    await approver.ask(stub.ApproveAgreement, request, key=f"region-approve-{ref.record_id}-{ref.version}")
    return True


def _proposal(wanted: records.Agreement, known: service.ListedAgreement | None) -> service.ProposeAgreementRequest:
    return service.ProposeAgreementRequest(agreement=wanted, agreement_id=known.ref.record_id if known else "")


def _key(wanted: records.Agreement, known: service.ListedAgreement | None) -> str:
    """The same proposal on the same version is the same command; on another version it is a new one."""
    version = known.ref.version if known else 0
    digest = hashlib.sha256(wanted.SerializeToString(deterministic=True)).hexdigest()[:32]
    return f"region-propose-{version}-{digest}"


def same(stored: records.Agreement, wanted: records.Agreement) -> bool:
    """Whether both say the same; what `consent` gives (ids, state, people) aside."""
    bare = records.Agreement()
    bare.CopyFrom(stored)
    for field in ("state", "proposed_by", "approved_by"):
        bare.ClearField(field)
    for line in bare.lines:
        line.ClearField("line_id")
    return bare == wanted


def to_wire(agreement: Agreement) -> records.Agreement:
    """An agreement of the region file as `consent` takes it."""
    return records.Agreement(
        key=agreement.id,
        recipient=agreement.recipient,
        purposes=agreement.purposes,
        valid_from=_date(agreement.valid_from),
        valid_until=_date(agreement.valid_until),
        article6=agreement.article6,
        article9=agreement.article9,
        criminal_offence_basis=agreement.criminal_offence_basis,
        statutory_power=agreement.statutory_power,
        confidentiality_basis=agreement.confidentiality_basis,
        impact_assessment=agreement.impact_assessment,
        review_by=_date(agreement.review_by),
        lines=[_line(line) for line in agreement.lines],
    )


def _line(line: AgreementLine) -> records.AgreementLine:
    return records.AgreementLine(
        category=values_pb2.Category.Value(f"CATEGORY_{line.category.replace('-', '_').upper()}"),
        needs_consent=line.needs_consent,
        needs_circulation=line.needs_circulation,
        third_party_basis=line.third_party_basis or "",
    )


def _date(day: date | None) -> values_pb2.Date | None:
    return values_pb2.Date(year=day.year, month=day.month, day=day.day) if day is not None else None
