"""What the rules know of one child, and the agreements' lines that they go by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from ecm.api.common.v1 import values_pb2
from ecm.consent.model.words import CategoryCode, ProtectedCode, StateCode

ADOPTION = values_pb2.PROTECTED_KIND_ADOPTION_IDENTITY


@dataclass(frozen=True, slots=True)
class Line:
    """One category of an approved agreement. `valid_until` is the first instant after it; None = open."""

    line_id: str
    agreement: str
    recipient: str
    category: CategoryCode
    needs_consent: bool
    needs_circulation: bool
    purposes: frozenset[str]
    valid_from: datetime
    valid_until: datetime | None = None
    third_party_basis: str = ""
    legal_basis: str = ""

    def in_force(self, at: datetime) -> bool:
        """Between its dates."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class Consented:
    """A consent of a case as far as the rules need it. `ordinal` orders by versions, never by clocks."""

    consent_id: str
    case_id: str
    state: StateCode
    recipients: frozenset[str]
    ordinal: int
    valid_until: datetime | None = None
    question_reopened: bool = False
    said_on: date | None = None
    said_by: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A standing invitation of an agency to a meeting; both are records of `formulation`."""

    record_id: str
    meeting_id: str
    case_id: str
    agency: str


@dataclass(frozen=True, slots=True)
class Circulation:
    """A final report, circulated to an agency and not taken back."""

    report_id: str
    case_id: str
    agency: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """What an agency itself posted to a meeting."""

    record_id: str
    case_id: str
    agency: str


@dataclass(frozen=True, slots=True)
class Overridden:
    """A safeguarding override that hasn't been ended (checklist 127)."""

    override_id: str
    recipient: str
    categories: frozenset[CategoryCode]
    opened_at: datetime
    ends_at: datetime
    names_protected: frozenset[ProtectedCode] = frozenset()


@dataclass(frozen=True, slots=True)
class Dossier:
    """One child. `known`: the child's file was seen and stands. `cases`: by id, whether the case is open.

    `flags`: protected kind → agencies named for it. `withheld`: records that nobody sees any more.
    """

    child_id: str
    known: bool = True
    cases: Mapping[str, bool] = field(default_factory=dict)
    consents: tuple[Consented, ...] = ()
    flags: Mapping[ProtectedCode, frozenset[str]] = field(default_factory=dict)
    invitations: tuple[Invitation, ...] = ()
    circulations: tuple[Circulation, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    withheld: frozenset[str] = frozenset()
    overrides: tuple[Overridden, ...] = ()
