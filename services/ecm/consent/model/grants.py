"""Compiles a child's dossier and the region's lines to grants: what `exchange` enforces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ecm.api.common.v1 import values_pb2
from ecm.consent.model import rules
from ecm.consent.model.dossier import Dossier, Line, Overridden
from ecm.consent.model.words import CategoryCode, ViewCode


@dataclass(frozen=True, slots=True)
class Category:
    """Every resource of the child in this category."""

    category: CategoryCode


@dataclass(frozen=True, slots=True)
class OneRecord:
    """The resources of one record."""

    record_id: str


@dataclass(frozen=True, slots=True)
class Patient:
    """The child's Patient."""


Target = Category | OneRecord | Patient


@dataclass(frozen=True, slots=True)
class Grant:
    """What one agency may see of a child, for which purposes (empty = all), in which view, and until when (UTC)."""

    recipient: str
    target: Target
    view: ViewCode
    basis: str
    case_id: str = ""
    purposes: frozenset[str] = frozenset()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    line_id: str = ""
    override_id: str = ""


@dataclass(frozen=True, slots=True)
class Footing:
    """Why a line opens: by a consent of a case, or by the agreement alone."""

    basis: str
    case_id: str = ""
    valid_until: datetime | None = None


def compile_grants(dossier: Dossier, lines: Sequence[Line]) -> list[Grant]:
    """The whole set, in a fixed order and without doubles; empty for a child whose file isn't known.

    It doesn't depend on the time: grants and lines carry their own dates.
    """
    if not dossier.known:
        return []
    return list(dict.fromkeys(_all(dossier, [line for line in lines if rules.opens(line)])))


def _all(dossier: Dossier, lines: Sequence[Line]) -> Iterator[Grant]:
    for line in lines:
        if rules.opens_category(line):
            yield from _of_category(dossier, line)
    for opening in rules.openings(dossier):
        for line in lines:
            if (line.recipient, line.category) == (opening.agency, opening.category):
                yield from _of_records(dossier, line, opening)
    for override in dossier.overrides:
        yield from _of_override(dossier, override)


def _of_category(dossier: Dossier, line: Line) -> Iterator[Grant]:
    view = rules.view_of(dossier, line.recipient)
    for footing in _footings(dossier, line):
        for target in (Category(line.category), Patient()):
            yield _grant(line, footing, target, view, footing.basis)


def _of_records(dossier: Dossier, line: Line, opening: rules.Opening) -> Iterator[Grant]:
    if not rules.is_open(dossier, opening.case_id):
        return
    view = rules.view_of(dossier, line.recipient)
    for footing in _footings(dossier, line, opening.case_id):
        for record_id in opening.record_ids:
            yield _grant(line, footing, OneRecord(record_id), view, opening.basis)
        if opening.opens_minimum(dossier):
            yield _grant(line, footing, Patient(), values_pb2.VIEW_MINIMUM, opening.basis)


def _of_override(dossier: Dossier, override: Overridden) -> Iterator[Grant]:
    view = rules.view_of(dossier, override.recipient, override.names_protected)
    categories = [Category(category) for category in sorted(override.categories)]
    targets: list[Target] = [*categories, Patient()] if categories else []
    for target in targets:
        yield Grant(
            recipient=override.recipient,
            target=target,
            view=view,
            basis="override",
            valid_from=override.opened_at,
            valid_until=override.ends_at,
            override_id=override.override_id,
        )


def _footings(dossier: Dossier, line: Line, case_id: str = "") -> list[Footing]:
    if line.needs_consent:
        consents = rules.consents_for(dossier, line.recipient, case_id)
        return [Footing("consent", consent.case_id, consent.valid_until) for consent in consents]
    if case_id:
        return [Footing("agreement", case_id)]
    return [Footing("agreement")] if any(dossier.cases.values()) else []


def _grant(line: Line, footing: Footing, target: Target, view: ViewCode, basis: str) -> Grant:
    return Grant(
        recipient=line.recipient,
        target=target,
        view=view,
        basis=basis,
        case_id=footing.case_id,
        purposes=line.purposes,
        valid_until=footing.valid_until,
        line_id=line.line_id,
    )
