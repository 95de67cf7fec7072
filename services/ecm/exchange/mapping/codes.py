"""Every canonical URL of the product, and the systems of others that it uses.

The same code means the same in every region: own definitions stand under one
canonical base. Only local identifiers stand under a region's own base.
"""

from typing import Final
from uuid import UUID, uuid5

CANONICAL: Final = "https://ecm-exchange.example/fhir"
# RFC 9562's namespace for URLs, then ours: FHIR ids are uuid5 within it, for ever.
NAMESPACE: Final = uuid5(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), CANONICAL)

# Identifier systems.
NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
ODS: Final = "https://fhir.nhs.uk/Id/ods-organization-code"
HCPC: Final = "https://fhir.hl7.org.uk/Id/hcpc-number"

# UK Core: https://simplifier.net/guide/uk-core-implementation-guide
_UK = "https://fhir.hl7.org.uk/StructureDefinition"
UKCORE_PATIENT: Final = f"{_UK}/UKCore-Patient"
UKCORE_RELATED_PERSON: Final = f"{_UK}/UKCore-RelatedPerson"
UKCORE_ORGANIZATION: Final = f"{_UK}/UKCore-Organization"
UKCORE_PRACTITIONER: Final = f"{_UK}/UKCore-Practitioner"
UKCORE_OBSERVATION: Final = f"{_UK}/UKCore-Observation"
UKCORE_ENCOUNTER: Final = f"{_UK}/UKCore-Encounter"
UKCORE_SERVICE_REQUEST: Final = f"{_UK}/UKCore-ServiceRequest"
ETHNIC_CATEGORY: Final = f"{_UK}/Extension-UKCore-EthnicCategory"
_UK_CODES = "https://fhir.hl7.org.uk/CodeSystem"
ETHNIC_CATEGORY_ENGLAND: Final = f"{_UK_CODES}/UKCore-EthnicCategoryEngland"
ETHNIC_CATEGORY_WALES: Final = f"{_UK_CODES}/UKCore-EthnicCategoryWales"

# HL7's own.
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
ADMINISTRATIVE_GENDER: Final = "http://hl7.org/fhir/administrative-gender"
DATA_ABSENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PROVENANCE_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
INTERPRETER_REQUIRED: Final = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
BCP47: Final = "urn:ietf:bcp:47"
UCUM: Final = "http://unitsofmeasure.org"

# Own code systems.
_OWN = f"{CANONICAL}/CodeSystem"
CATEGORY: Final = f"{_OWN}/ecm-category"
FORM_ITEM: Final = f"{_OWN}/ecm-referral-form-item"
YES_NO_DONT_KNOW: Final = f"{_OWN}/ecm-yes-no-dont-know"
CURRENT_PREVIOUS_NEVER: Final = f"{_OWN}/ecm-current-previous-never"
RISK_LEVEL: Final = f"{_OWN}/ecm-risk-level"
DISPOSAL: Final = f"{_OWN}/ecm-disposal"
CASE_STATE: Final = f"{_OWN}/ecm-case-state"
CASE_END_REASON: Final = f"{_OWN}/ecm-case-end-reason"
RELATIONSHIP: Final = f"{_OWN}/ecm-relationship"
FAMILY_RELATION: Final = f"{_OWN}/ecm-family-relation"
PLACEMENT_KIND: Final = f"{_OWN}/ecm-placement-kind"
AGENCY_KIND: Final = f"{_OWN}/ecm-agency-kind"
REQUEST: Final = f"{_OWN}/ecm-request"
MEETING: Final = f"{_OWN}/ecm-meeting"
ATTENDEE_KIND: Final = f"{_OWN}/ecm-attendee-kind"
DOCUMENT: Final = f"{_OWN}/ecm-document"
ERROR_REASON: Final = f"{_OWN}/ecm-error-reason"
CONSENT: Final = f"{_OWN}/ecm-consent"
CONSENT_PURPOSE: Final = f"{_OWN}/ecm-consent-purpose"
OBSERVATION: Final = f"{_OWN}/ecm-observation"
TIMELINE_KIND: Final = f"{_OWN}/ecm-timeline-kind"
CERTAINTY: Final = f"{_OWN}/ecm-certainty"
OUTCOME: Final = f"{_OWN}/ecm-outcome"
PLAN: Final = f"{_OWN}/ecm-plan"
PROTECTED_KIND: Final = f"{_OWN}/ecm-protected-kind"


def recovery_model(code: str) -> str:
    """The code system of one recovery model's stages; its version stands in the coding."""
    return f"{_OWN}/ecm-recovery-model-{code}"


# Own questionnaires and extensions.
REFERRAL_FORM: Final = f"{CANONICAL}/Questionnaire/ecm-referral-form|1"
_EXTENSION = f"{CANONICAL}/StructureDefinition"
PLACEMENT: Final = f"{_EXTENSION}/ecm-placement"
SCHOOL: Final = f"{_EXTENSION}/ecm-school"
FAMILY_TREE: Final = f"{_EXTENSION}/ecm-family-tree"
LIVES_WITH_CHILD: Final = f"{_EXTENSION}/ecm-lives-with-child"
PARENTAL_RESPONSIBILITY: Final = f"{_EXTENSION}/ecm-parental-responsibility"
DATE_OF_DEATH: Final = f"{_EXTENSION}/ecm-date-of-death"
AS_WRITTEN: Final = f"{_EXTENSION}/ecm-date-as-written"
SUSPECTED: Final = f"{_EXTENSION}/ecm-certainty"
SEQUENCE: Final = f"{_EXTENSION}/ecm-sequence"
PROTECTED_DECLARATION: Final = f"{_EXTENSION}/ecm-protected-declaration"
ANSWERED_AT: Final = f"{_EXTENSION}/ecm-answered-at"


def case_number(base: str, yot: str) -> str:
    """The system of a YOT's own case numbers, under the region's base."""
    return f"{base}/case-number/{yot}"
