"""The states of a consent and the steps between them (checklist 115 to 128): content in, content out."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.model.dates import day_of, end_of
from ecm.consent.model.dossier import Consented
from ecm.consent.model.signatures import CHILD, PARENT, Terms, check_instruments, check_signatures, may_close
from ecm.consent.model.words import StateCode, signatory_word, state_word
from ecm.kit.errors import DomainError, Reason
from ecm.kit.region import Region
from ecm.kit.region_parts import Consent as ConsentRule

PURPOSES = ("needed-information", "best-support", "better-communication")
"""The three purposes that the leaflet states (checklist 119)."""

NOT_SOUGHT = records.CONSENT_STATE_NOT_SOUGHT
SOUGHT = records.CONSENT_STATE_SOUGHT
GIVEN = records.CONSENT_STATE_GIVEN
REFUSED = records.CONSENT_STATE_REFUSED
WITHDRAWN = records.CONSENT_STATE_WITHDRAWN
EXPIRED = records.CONSENT_STATE_EXPIRED
SUPERSEDED = records.CONSENT_STATE_SUPERSEDED

# From which states a step may be taken (checklist 125).
STEPS: dict[StateCode, tuple[StateCode, ...]] = {
    SOUGHT: (NOT_SOUGHT,),
    GIVEN: (NOT_SOUGHT, SOUGHT),
    REFUSED: (NOT_SOUGHT, SOUGHT),
    WITHDRAWN: (GIVEN, EXPIRED),
    EXPIRED: (GIVEN,),
    SUPERSEDED: (GIVEN, REFUSED, WITHDRAWN, EXPIRED, SOUGHT),
}


def moved(content: records.Consent, to: StateCode) -> records.Consent:
    """The content in another state; ILLEGAL_TRANSITION where there is no such step."""
    if content.state not in STEPS[to]:
        raise DomainError(
            Reason.ILLEGAL_TRANSITION, f"A consent that is {state_word(content.state)} can't become {state_word(to)}."
        )
    made = records.Consent()
    made.CopyFrom(content)
    made.state = to
    return made


def seek() -> records.Consent:
    """Form and leaflet are explained; nothing is signed."""
    return records.Consent(state=SOUGHT)


def give(before: records.Consent, request: service.GiveConsentRequest, region: Region, terms: Terms) -> records.Consent:
    """Both instruments signed. SIGNATURES_INCOMPLETE, INVALID_VALUE, MISSING_VALUE, ILLEGAL_TRANSITION."""
    check_instruments(request.instruments, terms)
    made = moved(before, GIVEN)
    made.age_at_signing = check_signatures(request.instruments, request.waiver, terms)
    made.instruments.extend(request.instruments)
    made.recipients.extend(_recipients(request.recipients, region))
    made.purposes.extend(PURPOSES)
    if request.waiver.reason and not _signed_by_parent(request.instruments):
        made.waiver.CopyFrom(request.waiver)
    if request.HasField("valid_until"):
        if day_of(request.valid_until, "valid_until") < terms.today:
            raise DomainError(Reason.INVALID_VALUE, "The consent would have ended already.", field="valid_until")
        made.valid_until.CopyFrom(request.valid_until)
    return made


def refuse(before: records.Consent, ending: records.Ending, today: date, *, second_needed: bool) -> records.Consent:
    """A refusal by the child, or by a holder of parental responsibility where that signature is needed."""
    _check_ending(ending, today)
    if ending.by != CHILD and not (ending.by == PARENT and second_needed):
        raise _not_theirs(ending)
    made = moved(before, REFUSED)
    made.ending.CopyFrom(ending)
    return made


def withdraw(before: records.Consent, ending: records.Ending, rule: ConsentRule, today: date) -> records.Consent:
    """A withdrawal by the child, always; by a holder of parental responsibility where that signature was required."""
    _check_ending(ending, today)
    made = moved(before, WITHDRAWN)
    if not may_close(ending.by, before, rule):
        raise _not_theirs(ending)
    made.ending.CopyFrom(ending)
    return made


def recheck(content: records.Consent, terms: Terms) -> records.Consent:
    """After a corrected date of birth: whether the signatures are in question now (124); never silently in force.

    Once in question they stay so: another correction answers nothing, a consent given anew does.
    """
    made = records.Consent()
    made.CopyFrom(content)
    try:
        made.age_at_signing = check_signatures(content.instruments, content.waiver, terms)
    except DomainError:
        made.question_reopened = True
    return made


def required_supersession(denials: Sequence[Consented], named: str) -> list[Consented]:
    """The refusals and withdrawals that a new signature supersedes; SUPERSESSION_REQUIRED unless it names the newest.

    The newest alone shows that the latest "no" was known when the "yes" was
    signed; older ones that still stand are superseded with it.
    """
    newest = denials[0].consent_id if denials else ""
    if named == newest:
        return list(denials)
    if not newest:
        raise DomainError(Reason.INVALID_VALUE, "There is no refusal or withdrawal to supersede.", field="supersedes")
    raise DomainError(
        Reason.SUPERSESSION_REQUIRED,
        f"The consent {newest} was {state_word(denials[0].state)}; a new one must name it in `supersedes`.",
        field="supersedes",
        metadata={"supersedes": newest},
    )


def summary(consent_id: str, case_id: str, content: records.Consent, ordinal: int, zone: ZoneInfo) -> Consented:
    """The consent as the rules need it."""
    ended = content.HasField("ending")
    return Consented(
        consent_id=consent_id,
        case_id=case_id,
        state=content.state,
        recipients=frozenset(content.recipients),
        ordinal=ordinal,
        valid_until=end_of(day_of(content.valid_until, "valid_until"), zone)
        if content.HasField("valid_until")
        else None,
        question_reopened=content.question_reopened,
        said_on=day_of(content.ending.said_on, "said_on") if ended else _signed_on(content),
        said_by=signatory_word(content.ending.by) if ended else "",
    )


def expiry(content: records.Consent, zone: ZoneInfo) -> datetime | None:
    """The first instant (UTC) at which it holds no more; None = no end."""
    if not content.HasField("valid_until"):
        return None
    return end_of(day_of(content.valid_until, "valid_until"), zone)


def without_scans(content: records.Consent) -> records.Consent:
    """The content for lists: documents left out."""
    made = records.Consent()
    made.CopyFrom(content)
    for one in made.instruments:
        one.ClearField("scan")
    return made


def _recipients(named: Sequence[str], region: Region) -> list[str]:
    psychology = [agency.id for agency in region.agencies if agency.kind == "psychology"]
    if not named and len(psychology) == 1:
        return psychology
    if not named:
        raise DomainError(Reason.MISSING_VALUE, "Which psychology service does it name?", field="recipients")
    for agency in named:
        if agency not in psychology:
            raise DomainError(
                Reason.INVALID_VALUE, f"Consent names psychology services: {', '.join(psychology)}.", field="recipients"
            )
    return sorted(set(named))


def _check_ending(ending: records.Ending, today: date) -> None:
    if not ending.by:
        raise DomainError(Reason.MISSING_VALUE, "Who said it?", field="ending.by")
    if day_of(ending.said_on, "ending.said_on") > today:
        raise DomainError(Reason.INVALID_VALUE, "It can't be said in the future.", field="ending.said_on")


def _not_theirs(ending: records.Ending) -> DomainError:
    return DomainError(
        Reason.INVALID_VALUE,
        f"This consent doesn't need the signature of {signatory_word(ending.by)}, so their word doesn't end it.",
        field="ending.by",
    )


def _signed_by_parent(instruments: Sequence[records.SignedInstrument]) -> bool:
    return all(any(s.capacity == PARENT for s in one.signatures) for one in instruments)


def _signed_on(content: records.Consent) -> date | None:
    days = [
        day_of(s.signed_on, "signed_on") for one in content.instruments for s in one.signatures if s.capacity == CHILD
    ]
    return max(days, default=None)
