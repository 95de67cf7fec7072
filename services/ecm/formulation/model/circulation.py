"""To whom a final report goes: as agreed at the meeting, and no further (checklist 92, 171, 227)."""

from collections.abc import Sequence
from datetime import datetime

from ecm.api.formulation.v1.formulation_records_pb2 import Meeting, Report
from ecm.formulation.model.meetings import check_agencies
from ecm.formulation.model.reports import check_current
from ecm.formulation.model.values import invalid, missing
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region


def circulated(
    report: Report, meeting: Meeting, agencies: Sequence[str], region: Region, *, by: str, now: datetime
) -> Report:
    """The report with its circulations; whoever has it already isn't named again.

    CIRCULATION_NOT_AGREED for an agency that the meeting didn't agree; ILLEGAL_TRANSITION for a replaced report.
    """
    check_current(report)
    if not agencies:
        raise missing("agencies is missing.", "agencies")
    check_agencies(list(agencies), region, "agencies")
    if not set(agencies) <= set(meeting.circulation_agencies):
        message = "The meeting didn't agree that every one of these agencies gets the report."
        raise DomainError(Reason.CIRCULATION_NOT_AGREED, message, field="agencies")
    sent = _copy(report)
    for agency in agencies:
        if agency not in receiving(report):
            sent.circulations.add(agency=agency, by=by).at.FromDatetime(now)
    return sent


def receiving(report: Report) -> set[str]:
    """The agencies to which it is circulated now."""
    return {circulation.agency for circulation in report.circulations if not circulation.ended}


def check_receives(report: Report, agency: str) -> None:
    """INVALID_VALUE where the report isn't circulated to the agency."""
    if agency not in receiving(report):
        raise invalid("The report isn't circulated to this agency.", "agency")


def withdrawn(report: Report, agency: str) -> Report:
    """The report, taken back from the agency; nothing changes where it was already."""
    ended = _copy(report)
    for circulation in ended.circulations:
        if circulation.agency == agency:
            circulation.ended = True
    return ended


def _copy(report: Report) -> Report:
    copy = Report()
    copy.CopyFrom(report)
    return copy
