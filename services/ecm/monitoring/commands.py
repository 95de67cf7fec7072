"""The commands of `monitoring`: load, decide, save."""

from typing import TypeVar

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.monitoring.v1 import monitoring_service_pb2 as pb
from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Plan, Supervision
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import parse_uuid
from ecm.monitoring.model.outcome import entered_caseload, recorded_outcome, recorded_supervision
from ecm.monitoring.model.plan import changed_plan, made_plan
from ecm.monitoring.model.review import recorded_review
from ecm.monitoring.store import (
    KnownCase,
    add_supervision,
    caseload_record,
    claim_caseload,
    facts_of_cases,
    known_case,
)

M = TypeVar("M", bound=Message)


async def make_plan(tx: Tx, request: pb.MakePlanRequest) -> RecordRef:
    """A case has one plan (93); ALREADY_EXISTS for a second."""
    case = await case_in_scope(tx, request.case_id, lock=True)
    if await tx.records.list("PLAN", Plan, case_id=case.case_id):
        raise DomainError(Reason.ALREADY_EXISTS, "The case has a plan; change it by ChangePlan.", field="case_id")
    return _ref(await _create(tx, "PLAN", made_plan(request.plan), case))


async def change_plan(tx: Tx, request: pb.ChangePlanRequest) -> RecordRef:
    """A new version of the plan, with its reason (174)."""
    record = await tx.records.get(parse_uuid(request.plan_id, "plan_id"), Plan, kind="PLAN", lock=True)
    content = changed_plan(request.plan)
    saved = await tx.records.update(
        record, content, expected_version=request.expected_version, reason=content.change_reason
    )
    return _ref(saved)


async def record_review(tx: Tx, request: pb.RecordReviewRequest) -> RecordRef:
    """A review (187 to 191)."""
    case = await case_in_scope(tx, request.case_id)
    facts = (await facts_of_cases(tx, [case.case_id])).get(case.case_id, [])
    stages = tx.region.recovery_model.stages
    review = recorded_review(request.review, facts=facts, stages=stages, today=tx.today)
    return _ref(await _create(tx, "REVIEW", review, case))


async def record_outcome(tx: Tx, request: pb.RecordOutcomeRequest) -> RecordRef:
    """An outcome (199 to 205)."""
    case = await case_in_scope(tx, request.case_id)
    return _ref(await _create(tx, "OUTCOME", recorded_outcome(request.outcome, tx.today), case))


async def enter_caseload(tx: Tx, request: pb.EnterCaseloadRequest) -> RecordRef:
    """A YOT's caseload of a period (192, 209); the same period again is a new version."""
    caseload = request.caseload
    check_yot(tx, caseload.yot, "caseload.yot")
    first, last = entered_caseload(caseload)
    new_id = tx.ids.uuid()
    if await claim_caseload(tx, caseload.yot, first, last, new_id):
        made = await tx.records.create("CASELOAD", caseload, child_id=None, yot=caseload.yot, record_id=new_id)
        return _ref(made)
    held = await caseload_record(tx, caseload.yot, first, last)
    assert held is not None
    record = await tx.records.get(held, Caseload, kind="CASELOAD", lock=True)
    return _ref(await tx.records.update(record, caseload))


async def record_supervision(tx: Tx, request: pb.RecordSupervisionRequest) -> RecordRef:
    """That a session took place: day, length, kind, and not even with whom (210 to 216)."""
    check_yot(tx, request.yot, "yot")
    session: Supervision = request.supervision
    session_id = await add_supervision(tx, request.yot, recorded_supervision(session, tx.today), session)
    return RecordRef(record_id=str(session_id), version=1)


async def case_in_scope(tx: Tx, case_id: str, *, lock: bool = False) -> KnownCase:
    """The case; NOT_FOUND where there is none, or it is another YOT's."""
    case = await known_case(tx, parse_uuid(case_id, "case_id"), lock=lock)
    if case is None or not tx.scope.admits(case.yot):
        raise DomainError(Reason.NOT_FOUND, "There is no case with this id.", field="case_id")
    return case


def check_yot(tx: Tx, yot: str, field: str) -> None:
    """INVALID_VALUE for a YOT that the region hasn't; PERMISSION_DENIED for one where the caller has no such role."""
    if tx.region.yot(yot) is None:
        raise DomainError(Reason.INVALID_VALUE, "The region has no such YOT.", field=field)
    if not tx.scope.admits(yot):
        raise DomainError(Reason.PERMISSION_DENIED, "None of your roles in this YOT may do this.", field=field)


async def _create(tx: Tx, kind: str, content: M, case: KnownCase) -> Record[M]:
    return await tx.records.create(kind, content, child_id=case.child_id, case_id=case.case_id, yot=case.yot)


def _ref(record: Record[M]) -> RecordRef:
    return RecordRef(record_id=str(record.record_id), version=record.version)
