"""Who may call what of `referrals` (checklist P: 217 to 219, 229, 232); what isn't listed is refused."""

from ecm.kit.auth.policy import Policy, rule
from ecm.kit.auth.roles import (
    CASE_MANAGER,
    CONSENT,
    DATA_PROTECTION_OFFICER,
    EXCHANGE,
    FORMULATION,
    MONITORING,
    OPERATIONAL_MANAGER,
    SENIOR_PRACTITIONER,
    SUPERVISOR,
    YOT_MANAGER,
)

_MANAGERS = (OPERATIONAL_MANAGER, SUPERVISOR, YOT_MANAGER)
_PRACTITIONERS = (CASE_MANAGER, SENIOR_PRACTITIONER)
_YOT = (*_PRACTITIONERS, *_MANAGERS)
# Analysts see aggregates alone, administrators configure. The data-protection officer answers for the file.
_READERS = (*_YOT, DATA_PROTECTION_OFFICER)
_OWNERS = (EXCHANGE, CONSENT, FORMULATION, MONITORING)

_manages_case = rule(people=(CASE_MANAGER,), command=True)
_narrows = rule(people=_YOT, command=True)
_reads = rule(people=_READERS)
_fetches = rule(services=_OWNERS)

POLICY: Policy = {
    # The file and the referral are the case manager's; others advise and discuss (217).
    "RegisterChild": _manages_case,
    "UpdateChild": _manages_case,
    "AddFamilyMember": _manages_case,
    "UpdateFamilyMember": _manages_case,
    "OpenCase": _manages_case,
    "SaveReferralForm": _manages_case,
    "AttachAssessment": _manages_case,
    "SendReferral": _manages_case,
    # What narrows never waits for somebody's leave; what widens is the case manager's.
    "ProtectDetail": _narrows,
    "CorrectDateOfBirth": _narrows,
    "UnprotectDetail": _manages_case,
    # Criteria and go-ahead: the case manager proposes, the YOT's managers decide; the senior practitioner
    # sifts and prioritises (218). Practitioners and supervisors assess readiness together (81).
    "AssessEligibility": rule(people=_MANAGERS, command=True),
    "AssessReadiness": rule(people=_YOT, command=True),
    "DeferCase": rule(people=(SENIOR_PRACTITIONER, *_MANAGERS), command=True),
    "AgreeGoAhead": rule(people=_MANAGERS, command=True),
    # Viability: case manager with senior practitioner, nobody else (219).
    "DiscussViability": rule(people=_PRACTITIONERS, command=True),
    "DecideViability": rule(people=_PRACTITIONERS, command=True),
    # The region's binding `panel` says which of these (7, 87); the command checks it.
    "DecidePanel": rule(people=(SENIOR_PRACTITIONER, *_MANAGERS), command=True),
    # Case decisions: case manager and managers (229).
    "BeginIntervention": rule(people=(CASE_MANAGER, *_MANAGERS), command=True),
    # Ending psychology is agreed between practitioners and psychologist (183, 232); the YOT records it.
    "WithdrawPsychology": rule(people=_PRACTITIONERS, command=True),
    "CloseCase": rule(people=(CASE_MANAGER, OPERATIONAL_MANAGER), command=True),
    "ReopenCase": rule(people=(CASE_MANAGER, OPERATIONAL_MANAGER), command=True),
    "AnswerChecklist": rule(people=_PRACTITIONERS, command=True),
    "GetChild": _reads,
    # The exchange asks whose child an identifier names: attempts by it are that YOT's to know.
    "FindChildren": rule(people=_READERS, services=(EXCHANGE,)),
    "ListFamilyMembers": _reads,
    "GetCase": _reads,
    "ListCases": _reads,
    "GetReferralForm": _reads,
    "ListRecordVersions": _fetches,
    "ListChildRecords": _fetches,
}
