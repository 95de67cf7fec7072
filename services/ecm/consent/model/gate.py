"""May this step of the formulation be taken? (checklist 98, 128, 237)"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.model import rules
from ecm.consent.model.decide import effective_or_why
from ecm.consent.model.dossier import Consented, Dossier, Line


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the step may be taken, why not, and the consent in force."""

    open: bool
    reason: str = ""
    consent_id: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a case; `agencies` are those to circulate to."""

    case_id: str
    gate: service.Gate.ValueType
    agencies: Sequence[str] = ()


def check(dossier: Dossier, lines: Sequence[Line], step: Step, at: datetime) -> Answer:
    """Meeting and report with the psychologist need consent; circulation needs what the recipients' lines need.

    The YOT's own statutory work needs neither (128).
    """
    if not rules.is_open(dossier, step.case_id):
        return Answer(False, "The case is closed, or isn't known here yet.")
    consent = _in_force(dossier, step.case_id, at)
    consent_id = consent.consent_id if consent else ""
    if step.gate == service.GATE_CIRCULATE:
        refusals = [_recipient(agency, lines, consent, at) for agency in step.agencies]
        reason = " ".join(filter(None, refusals))
        return Answer(not reason, reason, consent_id)
    if consent is None:
        return Answer(False, _why(dossier, step.case_id))
    return Answer(True, "", consent_id)


def _in_force(dossier: Dossier, case_id: str, at: datetime) -> Consented | None:
    given = [c for c in dossier.consents if c.case_id == case_id and rules.effective(dossier, c)]
    return next((c for c in given if c.valid_until is None or at < c.valid_until), None)


def _why(dossier: Dossier, case_id: str) -> str:
    denials = rules.standing_denials(dossier)
    if denials:
        return f"Consent was {'refused' if denials[0].state == rules.DENIALS[0] else 'withdrawn'}."
    of_case = [c for c in dossier.consents if c.case_id == case_id]
    newest = max(of_case, key=lambda consent: consent.ordinal, default=None)
    why = effective_or_why(dossier, newest) if newest else None
    if newest and why is None:
        return "Consent has expired."
    return f"Consent isn't in force: {why}." if why else "Consent hasn't been given."


def _recipient(agency: str, lines: Sequence[Line], consent: Consented | None, at: datetime) -> str:
    mine = [line for line in lines if (line.recipient, line.category) == (agency, values_pb2.CATEGORY_REPORT)]
    live = [line for line in mine if line.in_force(at)]
    if not live:
        return f"No agreement in force lets {agency} have a report."
    named = consent is not None and agency in consent.recipients
    if all(line.needs_consent for line in live) and not named:
        return f"The agreement with {agency} needs consent that names it."
    return ""
