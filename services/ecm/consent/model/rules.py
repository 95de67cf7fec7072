"""The few sentences that both `decide` and `compile` are made of."""

from collections.abc import Iterator
from dataclasses import dataclass

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.consent.model.dossier import ADOPTION, Consented, Dossier, Line
from ecm.consent.model.words import CategoryCode, ProtectedCode, ViewCode

AUTHORSHIP = "authorship"
DENIALS = (records.CONSENT_STATE_REFUSED, records.CONSENT_STATE_WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Opening:
    """Records that one agency sees by themselves, resting on its line of a category: never a category."""

    record_ids: tuple[str, ...]
    case_id: str
    agency: str
    category: CategoryCode
    basis: str

    def opens_minimum(self, dossier: Dossier) -> bool:
        """Whether it opens the Patient in `minimum` too: not where an adoption identity hides from the agency.

        Authorship opens what was posted, as it was posted, and no more: it outlasts the invitation.
        """
        return bool(self.record_ids) and self.basis != AUTHORSHIP and ADOPTION not in hidden_kinds(dossier, self.agency)


def standing_denials(dossier: Dossier) -> list[Consented]:
    """Refusals and withdrawals that nothing has superseded, newest first. Of any case: deny beats permit."""
    found = [consent for consent in dossier.consents if consent.state in DENIALS]
    return sorted(found, key=lambda consent: -consent.ordinal)


def is_open(dossier: Dossier, case_id: str) -> bool:
    """The case is known and not closed."""
    return dossier.cases.get(case_id, False)


def effective(dossier: Dossier, consent: Consented) -> bool:
    """Given, of an open case, its signatures not in question, and no refusal or withdrawal stands beside it.

    Whether it has expired is asked where the time is known.
    """
    given = consent.state == records.CONSENT_STATE_GIVEN and not consent.question_reopened
    return given and is_open(dossier, consent.case_id) and not standing_denials(dossier)


def consents_for(dossier: Dossier, recipient: str, case_id: str = "") -> list[Consented]:
    """The consents that open to `recipient`, of one case or (empty) of any."""
    return [
        consent
        for consent in dossier.consents
        if effective(dossier, consent) and recipient in consent.recipients and case_id in ("", consent.case_id)
    ]


def opens(line: Line) -> bool:
    """A line for third parties without its own basis *and* consent opens nothing, whatever was approved."""
    if line.category != values_pb2.CATEGORY_FAMILY_SENSITIVE:
        return True
    return line.needs_consent and bool(line.third_party_basis)


def opens_category(line: Line) -> bool:
    """Whether the line opens its whole category; if not, it is the footing of record grants alone.

    So is every line that needs circulation; and `invitation` without consent:
    an agreement to be invited isn't an invitation, and what one isn't invited to stays shut.
    """
    return not line.needs_circulation and (line.needs_consent or line.category != values_pb2.CATEGORY_INVITATION)


def hidden_kinds(dossier: Dossier, agency: str) -> frozenset[ProtectedCode]:
    """The protected kinds for which the agency isn't named."""
    return frozenset(kind for kind, named in dossier.flags.items() if agency not in named)


def view_of(dossier: Dossier, agency: str, also_named: frozenset[ProtectedCode] = frozenset()) -> ViewCode:
    """`full` to who is named for all that is flagged, else `unprotected`; `also_named` by an override."""
    hidden = hidden_kinds(dossier, agency) - also_named
    return values_pb2.VIEW_UNPROTECTED if hidden else values_pb2.VIEW_FULL


def openings(dossier: Dossier) -> Iterator[Opening]:
    """What invitation, circulation and authorship open, withheld records left out."""
    for i in dossier.invitations:
        if i.record_id not in dossier.withheld:
            shown = tuple(r for r in (i.meeting_id, i.record_id) if r and r not in dossier.withheld)
            yield Opening(shown, i.case_id, i.agency, values_pb2.CATEGORY_INVITATION, "invitation")
    for c in dossier.circulations:
        if c.report_id not in dossier.withheld:
            yield Opening((c.report_id,), c.case_id, c.agency, values_pb2.CATEGORY_REPORT, "circulation")
    for a in dossier.contributions:
        if a.record_id not in dossier.withheld:
            yield Opening((a.record_id,), a.case_id, a.agency, values_pb2.CATEGORY_INVITATION, AUTHORSHIP)
