"""What is read of `monitoring`: plan, reviews, outcomes, deadlines, and the return."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message

from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.monitoring.v1 import monitoring_service_pb2 as pb
from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Outcome, Plan, Review
from ecm.kit.db.records import Record
from ecm.kit.db.uow import Tx
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.commands import case_in_scope, check_yot
from ecm.monitoring.model.days import day, known_day, wire
from ecm.monitoring.model.deadlines import Due, deadlines
from ecm.monitoring.model.figures import CaseHistory, Figure, Material, Period
from ecm.monitoring.model.monitoring_return import monitoring_return
from ecm.monitoring.model.outcome import check_period
from ecm.monitoring.store import KnownCase, caseload_record, cases_of_yot, facts_of_cases, supervisions

M = TypeVar("M", bound=Message)


async def get_plan(tx: Tx, case_id: str) -> Record[Plan]:
    """The plan of a case; NOT_FOUND where it has none."""
    case = await case_in_scope(tx, case_id)
    plans = await tx.records.list("PLAN", Plan, case_id=case.case_id)
    if not plans:
        raise DomainError(Reason.NOT_FOUND, "The case has no plan.")
    return plans[0]


async def list_reviews(tx: Tx, case_id: str) -> list[Record[Review]]:
    """The reviews of a case, oldest first."""
    case = await case_in_scope(tx, case_id)
    found = await tx.records.list("REVIEW", Review, case_id=case.case_id)
    return sorted(found, key=lambda record: known_day(record.content.held_on))


async def list_outcomes(tx: Tx, case_id: str) -> list[Record[Outcome]]:
    """The outcomes of a case, oldest first."""
    case = await case_in_scope(tx, case_id)
    found = await tx.records.list("OUTCOME", Outcome, case_id=case.case_id)
    return sorted(found, key=lambda record: known_day(record.content.on))


async def list_deadlines(tx: Tx, request: pb.ListDeadlinesRequest) -> list[pb.Deadline]:
    """The deadlines of a case or of a YOT, earliest first; INVALID_VALUE where both or neither are named."""
    cases = await _cases_asked_for(tx, request)
    histories = await _histories(tx, cases)
    months = tx.region.deadlines.report_months_after_meeting
    found = [(due, case) for case in histories for due in deadlines(case.facts, case.reviews, months)]
    found.sort(key=lambda pair: (pair[0].due_on, pair[0].kind, str(pair[1].case_id)))
    today = tx.today
    return [_deadline(due, case.case_id, today) for due, case in found]


async def get_return(tx: Tx, request: pb.GetReturnRequest) -> pb.GetReturnResponse:
    """The monitoring return of a YOT and a period (192 to 208)."""
    check_yot(tx, request.yot, "yot")
    period = Period(day(request.period_start, "period_start"), day(request.period_end, "period_end"))
    check_period(period.first, period.last, "period_end")
    material = Material(
        period,
        tx.region.deadlines.report_months_after_meeting,
        await _histories(tx, await cases_of_yot(tx, request.yot)),
        await _caseload(tx, request.yot, period),
        await supervisions(tx, request.yot, period.first, period.last),
    )
    figures = [_figure(figure) for figure in monitoring_return(material)]
    first, last = wire(period.first), wire(period.last)
    return pb.GetReturnResponse(yot=request.yot, period_start=first, period_end=last, figures=figures)


def ref_of(record: Record[M]) -> RecordRef:
    """Id and version of a record."""
    return RecordRef(record_id=str(record.record_id), version=record.version)


def check_asked(request: pb.ListDeadlinesRequest) -> None:
    """INVALID_VALUE unless a case or a YOT is named, not both; before anything is looked for."""
    if bool(request.case_id) == bool(request.yot):
        raise DomainError(Reason.INVALID_VALUE, "Name either a case or a YOT.", field="case_id")


async def _cases_asked_for(tx: Tx, request: pb.ListDeadlinesRequest) -> list[KnownCase]:
    if request.case_id:
        return [await case_in_scope(tx, request.case_id)]
    check_yot(tx, request.yot, "yot")
    return await cases_of_yot(tx, request.yot)


async def _histories(tx: Tx, cases: Sequence[KnownCase]) -> list[CaseHistory]:
    facts = await facts_of_cases(tx, [case.case_id for case in cases])
    reviews = _by_case(await tx.records.list("REVIEW", Review))
    outcomes = _by_case(await tx.records.list("OUTCOME", Outcome))
    plans = {record.case_id: record for record in await tx.records.list("PLAN", Plan)}
    return [
        CaseHistory(
            case.case_id,
            case.child_id,
            facts.get(case.case_id, ()),
            reviews.get(case.case_id, ()),
            outcomes.get(case.case_id, ()),
            _completed_on(tx, plans.get(case.case_id)),
        )
        for case in cases
    ]


def _by_case(records: Iterable[Record[M]]) -> Mapping[UUID | None, list[M]]:
    found: dict[UUID | None, list[M]] = defaultdict(list)
    for record in records:
        found[record.case_id].append(record.content)
    return found


def _completed_on(tx: Tx, plan: Record[Plan] | None) -> date | None:
    """The day of the version that says so, which is the newest."""
    if plan is None or not plan.content.completed:
        return None
    return plan.recorded_at.astimezone(tx.region.zone).date()


async def _caseload(tx: Tx, yot: str, period: Period) -> Caseload | None:
    record_id = await caseload_record(tx, yot, period.first, period.last)
    if record_id is None:
        return None
    return (await tx.records.get(record_id, Caseload, kind="CASELOAD")).content


def _deadline(due: Due, case_id: UUID, today: date) -> pb.Deadline:
    made = pb.Deadline(case_id=str(case_id), kind=due.kind, due_on=wire(due.due_on), working=due.working)
    made.overdue = due.overdue(today)
    if due.met_on is not None:
        made.met_on.CopyFrom(wire(due.met_on))
    return made


def _figure(figure: Figure) -> pb.ReturnFigure:
    reasons = [pb.ReasonCount(reason=reason, count=count) for reason, count in figure.reasons.items()]
    return pb.ReturnFigure(item=figure.item, title=figure.title, count=figure.count, reasons=reasons)
