"""Consent → one FHIR Consent per recipient, while it is given: https://hl7.org/fhir/R4/consent.html

A partner sees only one that names it alone, while active: another
state yields nothing, so that a refusal or withdrawal can't be told from never asked.
"""

from collections.abc import Iterable
from functools import partial

from ecm.api.consent.v1.consent_records_pb2 import Consent, ConsentState
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.categories import REFERRAL
from ecm.exchange.mapping.elements import concept, date
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import View
from ecm.exchange.mapping.vocabulary import CODE_SYSTEMS, own, own_coding


def map_consent(source: Source[Consent]) -> list[MappedResource]:
    """The consent as each agency that it names may see it; signatories and waivers stay in the YOT."""
    if source.content.state != ConsentState.CONSENT_STATE_GIVEN:
        return []
    return [
        source.resource("Consent", partial(_consent, source, agency), REFERRAL, key=agency, only_for=agency)
        for agency in sorted(set(source.content.recipients))
        if agency
    ]


def _consent(source: Source[Consent], agency: str, _view: View) -> Json:
    consent = source.content
    return {
        "status": "active",
        "scope": concept(codes.CONSENT_SCOPE, "patient-privacy", "Privacy Consent"),
        "category": [own(codes.CONSENT, "enhanced-case-management")],
        "patient": source.subject,
        "dateTime": _signed_on(consent),
        "organization": [source.context.yot(source.yot)],
        # ppc-1 wants a policy; ours is confidentiality and transparency, never the UK GDPR basis.
        "policyRule": own(codes.CONSENT, "ecm-consent"),
        "provision": {
            "type": "permit",
            "period": {"end": date(consent.valid_until)},
            "actor": [
                {
                    "role": concept(codes.PARTICIPATION, "IRCP", "information recipient"),
                    "reference": source.context.organization(agency),
                }
            ],
            "purpose": list(_purposes(consent.purposes)),
        },
    }


def _purposes(purposes: Iterable[str]) -> Iterable[Json]:
    """What the record states: a purpose that isn't defined is shown, without a code."""
    known = CODE_SYSTEMS[codes.CONSENT_PURPOSE]
    return (
        own_coding(codes.CONSENT_PURPOSE, purpose) if purpose in known else {"display": purpose} for purpose in purposes
    )


def _signed_on(consent: Consent) -> str | None:
    """The day of the last signature: from then on it was complete."""
    days = (date(signature.signed_on) for instrument in consent.instruments for signature in instrument.signatures)
    return max((day for day in days if day), default=None)
