"""Who may call which method of the exchange's gRPC service."""

from ecm.kit.auth import roles
from ecm.kit.auth.policy import Policy, rule

# Who may ask for a child's accounting of disclosures: whoever works with children, and who answers for their data.
_ACCOUNTABLE = (
    roles.CASE_MANAGER,
    roles.SENIOR_PRACTITIONER,
    roles.OPERATIONAL_MANAGER,
    roles.SUPERVISOR,
    roles.YOT_MANAGER,
    roles.DATA_PROTECTION_OFFICER,
)
_OWNERS = roles.ALL_SERVICES - {roles.EXCHANGE}

POLICY: Policy = {
    "ApplyGrants": rule(services=[roles.CONSENT], scope="none"),
    "ApplyRegion": rule(services=[roles.CONSENT], scope="none"),
    "ListDisclosures": rule(people=_ACCOUNTABLE),
    "RecordManualDisclosure": rule(people=_ACCOUNTABLE, command=True),
    "VerifyAudit": rule(people=[roles.DATA_PROTECTION_OFFICER, roles.ADMINISTRATOR], scope="region"),
    "GetProjection": rule(people=[roles.ADMINISTRATOR, roles.DATA_PROTECTION_OFFICER], services=_OWNERS),
}
