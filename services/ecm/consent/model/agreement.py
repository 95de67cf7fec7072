"""Sharing agreements: proposed by one, approved by another, versioned; legal terms are coded data."""

from collections.abc import Mapping
from datetime import date
from typing import get_args
from zoneinfo import ZoneInfo

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.dates import day_of, end_of, start_of
from ecm.consent.model.dossier import Line
from ecm.consent.model.words import CATEGORIES, CategoryCode
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import Ids
from ecm.kit.region import Region
from ecm.kit.region_parts import Purpose

PROPOSED = records.AGREEMENT_STATE_PROPOSED
APPROVED = records.AGREEMENT_STATE_APPROVED
ENDED = records.AGREEMENT_STATE_ENDED
PURPOSES: tuple[str, ...] = get_args(Purpose)
LEGAL = ("article6", "article9", "criminal_offence_basis", "statutory_power", "confidentiality_basis")
FAMILY_SENSITIVE = values_pb2.CATEGORY_FAMILY_SENSITIVE


def propose(
    wanted: records.Agreement, in_force: records.Agreement | None, by: str, region: Region, ids: Ids
) -> records.Agreement:
    """The proposal, checked; it opens nothing. INVALID_VALUE or MISSING_VALUE name the field.

    A line keeps its id where its conditions stay: a grant that rests on a line
    whose conditions changed must not outlive the change.
    """
    _check(wanted, region)
    made = records.Agreement()
    made.CopyFrom(wanted)
    kept = _line_ids(in_force, wanted)
    for line in made.lines:
        line.line_id = kept.get(_terms(line), "") or str(ids.uuid())
    made.state, made.proposed_by, made.approved_by = PROPOSED, by, ""
    return made


def approve(proposal: records.Agreement, by: str, today: date) -> records.Agreement:
    """In force between its dates, by a second person, with an impact assessment and a date to review it."""
    if proposal.state != PROPOSED:
        raise DomainError(Reason.ILLEGAL_TRANSITION, "Only what is proposed can be approved.")
    if by == proposal.proposed_by:
        raise DomainError(Reason.SECOND_PERSON_REQUIRED, "Who proposed an agreement can't approve it.")
    if not proposal.impact_assessment.strip():
        raise DomainError(Reason.MISSING_VALUE, "The impact assessment is missing.", field="impact_assessment")
    if day_of(proposal.review_by, "review_by") < today:
        raise DomainError(Reason.INVALID_VALUE, "The date of review has passed.", field="review_by")
    made = records.Agreement()
    made.CopyFrom(proposal)
    made.state, made.approved_by = APPROVED, by
    return made


def end(agreement: records.Agreement) -> records.Agreement:
    """Ended for good; a later agreement is a record of its own."""
    if agreement.state == ENDED:
        raise DomainError(Reason.ILLEGAL_TRANSITION, "The agreement has ended already.")
    made = records.Agreement()
    made.CopyFrom(agreement)
    made.state = ENDED
    return made


def lines_of(agreement: records.Agreement, zone: ZoneInfo) -> list[Line]:
    """The lines of an approved agreement, its days as instants; none of any other."""
    if agreement.state != APPROVED:
        return []
    until = agreement.valid_until if agreement.HasField("valid_until") else None
    return [
        Line(
            line_id=line.line_id,
            agreement=agreement.key,
            recipient=agreement.recipient,
            category=line.category,
            needs_consent=line.needs_consent,
            needs_circulation=line.needs_circulation,
            purposes=frozenset(agreement.purposes),
            valid_from=start_of(day_of(agreement.valid_from, "valid_from"), zone),
            valid_until=end_of(day_of(until, "valid_until"), zone) if until else None,
            third_party_basis=line.third_party_basis,
            legal_basis="; ".join((*(getattr(agreement, name) for name in LEGAL), line.third_party_basis)).rstrip("; "),
        )
        for line in agreement.lines
    ]


def _check(wanted: records.Agreement, region: Region) -> None:
    if not wanted.key:
        raise _missing("agreement.key")
    if region.agency(wanted.recipient) is None:
        raise _invalid("The region has no such agency.", "agreement.recipient")
    if not wanted.purposes:
        raise _missing("agreement.purposes")
    if not set(wanted.purposes) <= set(PURPOSES):
        raise _invalid(f"A purpose is one of: {', '.join(PURPOSES)}.", "agreement.purposes")
    for name in LEGAL:
        if not getattr(wanted, name):
            raise _missing(f"agreement.{name}")
    begins = day_of(wanted.valid_from, "agreement.valid_from")
    if wanted.HasField("valid_until") and day_of(wanted.valid_until, "agreement.valid_until") < begins:
        raise _invalid("It would end before it begins.", "agreement.valid_until")
    _check_lines(wanted)


def _check_lines(wanted: records.Agreement) -> None:
    categories = [line.category for line in wanted.lines]
    if not categories:
        raise _missing("agreement.lines")
    if len(set(categories)) < len(categories) or not set(categories) <= set(CATEGORIES):
        raise _invalid("One line per category, of the ten that there are.", "agreement.lines.category")
    for line in wanted.lines:
        if line.category == FAMILY_SENSITIVE and not (line.third_party_basis and line.needs_consent):
            raise _invalid("family-sensitive needs a basis for third parties and consent.", "agreement.lines")


Terms = tuple[CategoryCode, bool, bool, str]


def _terms(line: records.AgreementLine) -> Terms:
    return (line.category, line.needs_consent, line.needs_circulation, line.third_party_basis)


def _line_ids(in_force: records.Agreement | None, wanted: records.Agreement) -> Mapping[Terms, str]:
    if in_force is None or in_force.recipient != wanted.recipient:
        return {}
    return {_terms(line): line.line_id for line in in_force.lines}


def _missing(field: str) -> DomainError:
    return DomainError(Reason.MISSING_VALUE, f"{field} is missing.", field=field)


def _invalid(message: str, field: str) -> DomainError:
    return DomainError(Reason.INVALID_VALUE, message, field=field)
