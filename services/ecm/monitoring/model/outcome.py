"""Outcomes, a YOT's caseload, and that a supervision took place (checklist 192, 199 to 205, 209, 210 to 216)."""

from datetime import date

from ecm.api.monitoring.v1.monitoring_records_pb2 import Caseload, Outcome, OutcomeKind, Supervision
from ecm.kit.errors import DomainError, Reason
from ecm.monitoring.model.days import day, past_day
from ecm.monitoring.model.texts import check_text

MOST_GRAVITY = 8
_DAY_IN_MINUTES = 24 * 60


def recorded_outcome(outcome: Outcome, today: date) -> Outcome:
    """The outcome, checked.

    INVALID_VALUE for an unknown kind, a day in the future, a gravity outside 1 to 8
    or of anything but an offence, a consultation of anything but a breach (181).
    """
    if outcome.kind not in OutcomeKind.values() or not outcome.kind:
        raise DomainError(Reason.INVALID_VALUE, "The kind of outcome isn't one of the list.", field="outcome.kind")
    past_day(outcome.on, "outcome.on", today)
    needs_words = outcome.kind in (OutcomeKind.OUTCOME_KIND_OTHER, OutcomeKind.OUTCOME_KIND_DISENGAGED)
    check_text(outcome.details, "outcome.details", required=needs_words)
    _check_gravity(outcome)
    if outcome.psychologist_consulted and outcome.kind != OutcomeKind.OUTCOME_KIND_BREACH:
        message = "The psychologist's consultation is noted of a breach."
        raise DomainError(Reason.INVALID_VALUE, message, field="outcome.psychologist_consulted")
    return outcome


def _check_gravity(outcome: Outcome) -> None:
    if not 0 <= outcome.gravity <= MOST_GRAVITY:
        raise DomainError(Reason.INVALID_VALUE, "The gravity score is 1 to 8.", field="outcome.gravity")
    if outcome.gravity and outcome.kind != OutcomeKind.OUTCOME_KIND_REOFFENCE:
        raise DomainError(Reason.INVALID_VALUE, "Only an offence has a gravity score.", field="outcome.gravity")


def entered_caseload(caseload: Caseload) -> tuple[date, date]:
    """First and last day of the period; INVALID_VALUE for a period that ends before it begins, or negative counts."""
    first = day(caseload.period_start, "caseload.period_start")
    last = day(caseload.period_end, "caseload.period_end")
    check_period(first, last, "caseload.period_end")
    if caseload.children < 0:
        raise DomainError(Reason.INVALID_VALUE, "A caseload is 0 or more.", field="caseload.children")
    if caseload.HasField("eligible") and not 0 <= caseload.eligible <= caseload.children:
        message = "Eligible children are some of those on the caseload."
        raise DomainError(Reason.INVALID_VALUE, message, field="caseload.eligible")
    return first, last


def check_period(first: date, last: date, field: str) -> None:
    """INVALID_VALUE where the period ends before it begins."""
    if last < first:
        raise DomainError(Reason.INVALID_VALUE, "The period ends before it begins.", field=field)


def recorded_supervision(supervision: Supervision, today: date) -> date:
    """The day of the session; INVALID_VALUE for a day in the future or a length outside a day."""
    held_on = past_day(supervision.held_on, "supervision.held_on", today)
    if not 0 < supervision.minutes <= _DAY_IN_MINUTES:
        raise DomainError(Reason.INVALID_VALUE, "The length is 1 minute to a day.", field="supervision.minutes")
    return held_on
