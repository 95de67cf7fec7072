"""What the consents of a case come to, for its life cycle (checklist 99, 125)."""

from collections.abc import Mapping
from enum import Enum, auto

from ecm.api.consent.v1.consent_records_pb2 import (
    CONSENT_STATE_GIVEN,
    CONSENT_STATE_REFUSED,
    CONSENT_STATE_WITHDRAWN,
    Consent,
)


class Standing(Enum):
    """How a case stands to consent."""

    NOT_DECIDED = auto()
    GIVEN = auto()
    DENIED = auto()


def standing(consents: Mapping[str, Consent]) -> Standing:
    """By all consents of one case (record id → newest version), so that the order of events doesn't matter.

    Deny beats permit: a refusal or withdrawal counts until a later consent, given, supersedes it explicitly.
    """
    given = [consent for consent in consents.values() if consent.state == CONSENT_STATE_GIVEN]
    superseded = {consent.supersedes for consent in given}
    denials = (CONSENT_STATE_REFUSED, CONSENT_STATE_WITHDRAWN)
    if any(consent.state in denials and key not in superseded for key, consent in consents.items()):
        return Standing.DENIED
    return Standing.GIVEN if given else Standing.NOT_DECIDED
