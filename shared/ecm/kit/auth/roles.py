"""The roles of a YOT, the services and the kinds of agencies, as policies name them."""

from ecm.kit.names import SERVICE_CLIENTS

CASE_MANAGER = "case-manager"
SENIOR_PRACTITIONER = "senior-practitioner"
OPERATIONAL_MANAGER = "operational-manager"
SUPERVISOR = "supervisor"
YOT_MANAGER = "yot-manager"
ANALYST = "analyst"
DATA_PROTECTION_OFFICER = "data-protection-officer"
ADMINISTRATOR = "administrator"

ALL_ROLES = frozenset(
    {
        CASE_MANAGER,
        SENIOR_PRACTITIONER,
        OPERATIONAL_MANAGER,
        SUPERVISOR,
        YOT_MANAGER,
        ANALYST,
        DATA_PROTECTION_OFFICER,
        ADMINISTRATOR,
    }
)

ALL_SERVICES = frozenset(SERVICE_CLIENTS)
REFERRALS, CONSENT, FORMULATION, MONITORING, EXCHANGE = SERVICE_CLIENTS

YOUTH_OFFENDING_TEAM = "youth-offending-team"
PSYCHOLOGY = "psychology"
LOCAL_AUTHORITY = "local-authority"
CUSTODY = "custody"
HEALTH = "health"
EDUCATION = "education"
POLICE = "police"
OTHER = "other"

ALL_AGENCY_KINDS = frozenset(
    {YOUTH_OFFENDING_TEAM, PSYCHOLOGY, LOCAL_AUTHORITY, CUSTODY, HEALTH, EDUCATION, POLICE, OTHER}
)
