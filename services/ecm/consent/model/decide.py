"""Decides one question about one agency, with a reason in plain words; a property test holds it against `compile`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ecm.api.common.v1 import values_pb2
from ecm.consent.model import rules
from ecm.consent.model.dates import in_words
from ecm.consent.model.dossier import Consented, Dossier, Line, Overridden
from ecm.consent.model.grants import Category, OneRecord, Patient, Target
from ecm.consent.model.words import CATEGORIES, CategoryCode, ViewCode, category_word, protected_word, state_word

NO_VIEW = values_pb2.VIEW_UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: permitted or not, in which view (unspecified where not), and why."""

    permitted: bool
    view: ViewCode
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, for which purpose (empty: for any), and when (UTC)."""

    dossier: Dossier
    lines: Sequence[Line]
    agency: str
    purpose: str
    at: datetime


def decide(
    dossier: Dossier, lines: Sequence[Line], agency: str, target: Target, *, purpose: str, at: datetime
) -> Decision:
    """Whether the agency sees the target at that instant. Default deny; deny beats permit."""
    asked = Question(dossier, lines, agency, purpose, at)
    if not dossier.known:
        return _no("the child's file isn't known here")
    match target:
        case Category(category):
            return _best(_category(asked, category))
        case OneRecord(record_id):
            return _best(_record(asked, record_id))
        case Patient():
            return _best(_patient(asked))


def _best(answers: Iterable[Decision]) -> Decision:
    """The widest permission; else the first refusal: default deny."""
    found = list(answers)
    permitted = [answer for answer in found if answer.permitted]
    if permitted:
        return max(permitted, key=lambda answer: answer.view)
    return found[0] if found else _no("nothing opens it")


def _category(asked: Question, category: CategoryCode) -> Iterator[Decision]:
    for override in asked.dossier.overrides:
        if override.recipient == asked.agency and category in override.categories:
            yield _by_override(asked, override)
    lines = [line for line in asked.lines if (line.recipient, line.category) == (asked.agency, category)]
    if not lines:
        yield _no(f"no agreement with the agency has a line {category_word(category)}")
    for line in lines:
        yield _refused(asked, line) or _records_only(line) or _by_line(asked, line)


def _record(asked: Question, record_id: str) -> Iterator[Decision]:
    if record_id in asked.dossier.withheld:
        yield _no("the record is withheld from everyone")
    for opening in rules.openings(asked.dossier):
        if opening.agency == asked.agency and record_id in opening.record_ids:
            yield from _by_opening(asked, opening)


def _patient(asked: Question) -> Iterator[Decision]:
    for category in CATEGORIES:
        yield from _category(asked, category)
    for opening in rules.openings(asked.dossier):
        if opening.agency == asked.agency and opening.opens_minimum(asked.dossier):
            yield from (_minimum(answer) for answer in _by_opening(asked, opening))


def _minimum(answer: Decision) -> Decision:
    return Decision(True, values_pb2.VIEW_MINIMUM, answer.reason) if answer.permitted else answer


def _by_opening(asked: Question, opening: rules.Opening) -> Iterator[Decision]:
    if not rules.is_open(asked.dossier, opening.case_id):
        yield _no("the case is closed")
        return
    lines = [line for line in asked.lines if (line.recipient, line.category) == (asked.agency, opening.category)]
    if not lines:
        yield _no(f"no agreement with the agency has a line {category_word(opening.category)}")
    for line in lines:
        yield _refused(asked, line) or _by_line(asked, line, opening)


def _by_override(asked: Question, override: Overridden) -> Decision:
    if not override.opened_at <= asked.at < override.ends_at:
        return _no("the safeguarding override has ended")
    view = rules.view_of(asked.dossier, asked.agency, override.names_protected)
    return _yes(asked, view, "a safeguarding override opens it on its own basis")


def _refused(asked: Question, line: Line) -> Decision | None:
    """What is wrong with the line itself, if anything."""
    which = _line_words(line)
    if not rules.opens(line):
        return _no(f"{which} lacks a basis for third parties")
    if not line.in_force(asked.at):
        return _no(f"{which} isn't in force today")
    if asked.purpose and asked.purpose not in line.purposes:
        return _no(f"{which} doesn't hold for the purpose {asked.purpose}")
    return None


def _records_only(line: Line) -> Decision | None:
    if rules.opens_category(line):
        return None
    what = "was circulated to the agency as agreed at the meeting" if line.needs_circulation else "it is invited to"
    return _no(f"{_line_words(line)} opens only what {what}")


def _by_line(asked: Question, line: Line, opening: rules.Opening | None = None) -> Decision:
    case_id = opening.case_id if opening else ""
    how = f"{_line_words(line)} is in force" + (f", the record is the agency's by {opening.basis}" if opening else "")
    if not line.needs_consent:
        if not case_id and not any(asked.dossier.cases.values()):
            return _no("the child has no open case")
        return _yes(asked, rules.view_of(asked.dossier, asked.agency), f"{how}; the line doesn't need consent")
    consents = rules.consents_for(asked.dossier, asked.agency, case_id)
    live = [c for c in consents if c.valid_until is None or asked.at < c.valid_until]
    if not live:
        return _no(f"{_line_words(line)} needs consent, and {_why_no_consent(asked, case_id, bool(consents))}")
    given = f"the consent given{_on(live[-1])} names the agency"
    return _yes(asked, rules.view_of(asked.dossier, asked.agency), f"{how} and {given}")


def _why_no_consent(asked: Question, case_id: str, expired: bool) -> str:
    if expired:
        return "the consent has expired"
    denials = rules.standing_denials(asked.dossier)
    if denials:
        return f"it was {state_word(denials[0].state)}{_on(denials[0])}"
    given = [c for c in asked.dossier.consents if effective_or_why(asked.dossier, c) is None]
    if given:
        return "the consent doesn't name the agency"
    newest = max(
        (c for c in asked.dossier.consents if case_id in ("", c.case_id)), key=lambda c: c.ordinal, default=None
    )
    return (effective_or_why(asked.dossier, newest) if newest else None) or "none was given"


def effective_or_why(dossier: Dossier, consent: Consented) -> str | None:
    """None where the consent is in force; else why it isn't, in plain words."""
    if rules.effective(dossier, consent):
        return None
    if consent.question_reopened:
        return "its signatures are in question since the date of birth was corrected"
    if not rules.is_open(dossier, consent.case_id):
        return "its case is closed"
    return f"it is {state_word(consent.state)}"


def _yes(asked: Question, view: ViewCode, reason: str) -> Decision:
    hidden = rules.hidden_kinds(asked.dossier, asked.agency)
    if view == values_pb2.VIEW_UNPROTECTED:
        kinds = ", ".join(protected_word(kind) for kind in sorted(hidden))
        reason += f"; without what is protected, since the agency isn't named for: {kinds}"
    return Decision(True, view, f"Seen: {reason}.")


def _no(reason: str) -> Decision:
    return Decision(False, NO_VIEW, f"Not seen: {reason}.")


def _line_words(line: Line) -> str:
    return f"agreement {line.agreement} line {category_word(line.category)}"


def _on(consent: Consented) -> str:
    by = f" by {consent.said_by}" if consent.said_by else ""
    return by + (f" on {in_words(consent.said_on)}" if consent.said_on else "")
