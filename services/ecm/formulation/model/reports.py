"""The report: drafted, checked by two, final, amended (checklist 168 to 175, 225, 226)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.api.common.v1.values_pb2 import Document
from ecm.api.formulation.v1.formulation_records_pb2 import (
    REPORT_DRAFT_STATE_CHECKED,
    REPORT_DRAFT_STATE_DRAFTED,
    REPORT_DRAFT_STATE_FINALISED,
    AccuracyCheck,
    Meeting,
    Report,
    ReportDraft,
)
from ecm.formulation.model.meetings import check_held
from ecm.formulation.model.roles import CASE_MANAGER, SENIOR_PRACTITIONER
from ecm.formulation.model.values import PARAGRAPH, PDF, check_document, check_text, illegal
from ecm.kit.errors import DomainError, Reason

CHECKERS = (CASE_MANAGER, SENIOR_PRACTITIONER)
"""Both check the facts, never the clinical opinion (170)."""
_ONLY_PDF = frozenset({PDF})


def drafted(
    meeting_id: str, meeting: Meeting, document: Document, author: AssertedPractitioner, drafts: Iterable[ReportDraft]
) -> ReportDraft:
    """The first draft of a held meeting's report (98, 168). ILLEGAL_TRANSITION where there is one already."""
    check_held(meeting)
    check_document(document, _ONLY_PDF)
    if any(draft.meeting_id == meeting_id for draft in drafts):
        raise illegal("The meeting's report is drafted already; draft it anew by its id.")
    return ReportDraft(state=REPORT_DRAFT_STATE_DRAFTED, document=document, meeting_id=meeting_id, author=author)


def drafted_anew(draft: ReportDraft, document: Document, author: AssertedPractitioner) -> ReportDraft:
    """A new draft, to be checked again by both: what they checked is gone. ILLEGAL_TRANSITION once final."""
    check_not_final(draft)
    check_document(document, _ONLY_PDF)
    return ReportDraft(state=REPORT_DRAFT_STATE_DRAFTED, document=document, meeting_id=draft.meeting_id, author=author)


def checked(draft: ReportDraft, by: str, roles: Iterable[str], corrections: str, now: datetime) -> ReportDraft:
    """The draft with a check; CHECKED once both roles, by two persons, found it accurate (170).

    A role's later check replaces its earlier one. ILLEGAL_TRANSITION once final; SECOND_PERSON_REQUIRED where the
    person has checked in the other role; PERMISSION_DENIED for neither role.
    """
    check_not_final(draft)
    check_text(corrections, "corrections", most=PARAGRAPH, required=False)
    check = AccuracyCheck(by=by, role=_checks_as(draft, by, set(roles)), corrections=corrections)
    check.at.FromDatetime(now)
    kept = [old for old in draft.checks if old.role != check.role]
    if any(old.by == by for old in kept):
        raise DomainError(Reason.SECOND_PERSON_REQUIRED, "You have checked it in the other role; another person does.")
    made = _copy(draft)
    del made.checks[:]
    made.checks.extend([*kept, check])
    made.state = REPORT_DRAFT_STATE_CHECKED if is_accurate(made.checks) else REPORT_DRAFT_STATE_DRAFTED
    return made


def _checks_as(draft: ReportDraft, by: str, roles: set[str]) -> str:
    """Somebody who holds both roles checks in the one in which they did before, else in the one that is open."""
    mine = [check.role for check in draft.checks if check.by == by]
    taken = [check.role for check in draft.checks]
    may = [role for role in CHECKERS if role in roles]
    ordered = [*mine, *(role for role in may if role not in taken), *may]
    chosen = next((role for role in ordered if role in may), "")
    if not chosen:
        raise DomainError(Reason.PERMISSION_DENIED, "Case manager and senior practitioner check the report.")
    return chosen


def is_accurate(checks: Sequence[AccuracyCheck]) -> bool:
    """Both roles, two persons, nothing to correct."""
    clean = [check for check in checks if not check.corrections]
    return {check.role for check in clean} == set(CHECKERS) and len({check.by for check in clean}) == len(CHECKERS)


def final(
    draft: ReportDraft, draft_id: str, document: Document, author: AssertedPractitioner, *, now: datetime
) -> Report:
    """The final report of a checked draft (91). ILLEGAL_TRANSITION before both checks, and twice."""
    check_not_final(draft)
    if draft.state != REPORT_DRAFT_STATE_CHECKED:
        raise illegal("Case manager and senior practitioner both check the draft before it becomes final.")
    check_document(document, _ONLY_PDF)
    report = Report(document=document, meeting_id=draft.meeting_id, author=author, draft_id=draft_id)
    report.finalised_at.FromDatetime(now)
    return report


def finalised(draft: ReportDraft, report_id: str) -> ReportDraft:
    """The draft that became this report."""
    done = _copy(draft)
    done.state = REPORT_DRAFT_STATE_FINALISED
    done.report_id = report_id
    return done


def amendment(
    report: Report, report_id: str, document: Document, author: AssertedPractitioner, *, reason: str, now: datetime
) -> Report:
    """A report that replaces another, to be circulated anew (173, 174). ILLEGAL_TRANSITION for a replaced one."""
    check_current(report)
    check_text(reason, "reason", most=PARAGRAPH)
    check_document(document, _ONLY_PDF)
    made = Report(
        document=document,
        meeting_id=report.meeting_id,
        author=author,
        draft_id=report.draft_id,
        amends_id=report_id,
    )
    made.finalised_at.FromDatetime(now)
    return made


def amended(report: Report, by_id: str) -> Report:
    """The report that was replaced."""
    old = Report()
    old.CopyFrom(report)
    old.amended_by_id = by_id
    return old


def check_current(report: Report) -> None:
    """ILLEGAL_TRANSITION where an amendment has replaced the report."""
    if report.amended_by_id:
        raise illegal("An amendment has replaced this report; take that one.")


def check_not_final(draft: ReportDraft) -> None:
    """ILLEGAL_TRANSITION where the draft is final."""
    if draft.state == REPORT_DRAFT_STATE_FINALISED:
        raise illegal("The draft is final; amend the report instead.")


def _copy(draft: ReportDraft) -> ReportDraft:
    copy = ReportDraft()
    copy.CopyFrom(draft)
    return copy
