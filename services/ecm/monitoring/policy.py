"""Who may call what of `monitoring` (checklist 228, 230, 231); what isn't listed is refused."""

from ecm.kit.auth.policy import Policy, rule
from ecm.kit.auth.roles import (
    ANALYST,
    CASE_MANAGER,
    EXCHANGE,
    OPERATIONAL_MANAGER,
    SENIOR_PRACTITIONER,
    SUPERVISOR,
    YOT_MANAGER,
)

# The senior practitioner maintains the data, the case manager contributes (231).
_PRACTITIONERS = (CASE_MANAGER, SENIOR_PRACTITIONER)
# Managers and analysts see the aggregate, never a child's records (231).
_AGGREGATE = (SENIOR_PRACTITIONER, OPERATIONAL_MANAGER, SUPERVISOR, YOT_MANAGER, ANALYST)

POLICY: Policy = {
    # The plan is the case manager's; the senior practitioner advises (228).
    "MakePlan": rule(people=(CASE_MANAGER,), command=True),
    "ChangePlan": rule(people=(CASE_MANAGER,), command=True),
    "GetPlan": rule(people=_PRACTITIONERS),
    "RecordReview": rule(people=_PRACTITIONERS, command=True),
    "ListReviews": rule(people=_PRACTITIONERS),
    "RecordOutcome": rule(people=_PRACTITIONERS, command=True),
    "ListOutcomes": rule(people=_PRACTITIONERS),
    "EnterCaseload": rule(people=(SENIOR_PRACTITIONER,), command=True),
    # Everybody records their own sessions, and nobody reads them back one by one (213, 230).
    "RecordSupervision": rule(people=_PRACTITIONERS, command=True),
    "ListDeadlines": rule(people=_PRACTITIONERS),
    "GetReturn": rule(people=_AGGREGATE),
    "ListRecordVersions": rule(services=(EXCHANGE,)),
    "ListChildRecords": rule(services=(EXCHANGE,)),
}
