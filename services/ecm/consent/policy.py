"""Who may call which RPC of `consent` (checklist 217 to 232); what isn't listed is refused."""

from ecm.kit.auth.policy import rule
from ecm.kit.auth.roles import (
    ADMINISTRATOR,
    CASE_MANAGER,
    DATA_PROTECTION_OFFICER,
    EXCHANGE,
    FORMULATION,
    MONITORING,
    OPERATIONAL_MANAGER,
    REFERRALS,
    SENIOR_PRACTITIONER,
    SUPERVISOR,
    YOT_MANAGER,
)

# Whatever narrows never waits for one person's leave: any role that works with children records it.
PRACTICE = (
    CASE_MANAGER,
    SENIOR_PRACTITIONER,
    OPERATIONAL_MANAGER,
    SUPERVISOR,
    YOT_MANAGER,
    DATA_PROTECTION_OFFICER,
)
GOVERNANCE = (ADMINISTRATOR, DATA_PROTECTION_OFFICER)
# Named for safeguarding overrides: who answers for a case decision (checklist 5), not who works on it.
SAFEGUARDING = (OPERATIONAL_MANAGER, YOT_MANAGER)
FETCHERS = (EXCHANGE, REFERRALS, MONITORING)

POLICY = {
    "SeekConsent": rule(people=(CASE_MANAGER,), command=True),
    "GiveConsent": rule(people=(CASE_MANAGER,), command=True),
    "RefuseConsent": rule(people=PRACTICE, command=True),
    "Withdraw": rule(people=PRACTICE, command=True),
    "GetEnforcement": rule(people=(*PRACTICE, ADMINISTRATOR), services=(REFERRALS, FORMULATION)),
    "ListConsents": rule(people=PRACTICE),
    "CheckGate": rule(people=PRACTICE, services=(FORMULATION,)),
    # Idempotent by its intent, which its caller keeps in its own database.
    "Narrow": rule(services=(REFERRALS, FORMULATION), scope="none"),
    "ProposeAgreement": rule(people=(ADMINISTRATOR,), command=True, scope="region"),
    "ApproveAgreement": rule(people=GOVERNANCE, command=True, scope="region"),
    "EndAgreement": rule(people=GOVERNANCE, command=True, scope="region"),
    "ListAgreements": rule(people=GOVERNANCE, scope="region"),
    "BlockClient": rule(people=GOVERNANCE, command=True, scope="region"),
    "OpenOverride": rule(people=SAFEGUARDING, command=True),
    "RenewOverride": rule(people=SAFEGUARDING, command=True),
    "ReviewOverride": rule(people=(*SAFEGUARDING, SUPERVISOR, DATA_PROTECTION_OFFICER), command=True),
    "EndOverride": rule(people=PRACTICE, command=True),
    "ExplainGrants": rule(people=(CASE_MANAGER, SENIOR_PRACTITIONER, OPERATIONAL_MANAGER, DATA_PROTECTION_OFFICER)),
    "RenewLease": rule(services=(EXCHANGE,), scope="none"),
    "ListRecordVersions": rule(services=FETCHERS, scope="none"),
    "ListChildRecords": rule(services=FETCHERS, scope="none"),
}
