"""Who may call what of `formulation` (checklist 217 to 227); what isn't listed is refused.

Only the psychologist writes and amends the formulation (225): those methods name no YOT role at all.
"""

from ecm.kit.auth.policy import Policy, rule
from ecm.kit.auth.roles import (
    ALL_AGENCY_KINDS,
    CASE_MANAGER,
    CONSENT,
    DATA_PROTECTION_OFFICER,
    EXCHANGE,
    MONITORING,
    OPERATIONAL_MANAGER,
    PSYCHOLOGY,
    REFERRALS,
    SENIOR_PRACTITIONER,
    SUPERVISOR,
    YOT_MANAGER,
)

_PRACTITIONERS = (CASE_MANAGER, SENIOR_PRACTITIONER)
_READERS = (*_PRACTITIONERS, OPERATIONAL_MANAGER, SUPERVISOR)
# Whatever narrows never waits for one person's leave.
_NARROWERS = (*_READERS, YOT_MANAGER, DATA_PROTECTION_OFFICER)

_practises = rule(people=_PRACTITIONERS, command=True)
_manages_case = rule(people=(CASE_MANAGER,), command=True)
_narrows = rule(people=_NARROWERS, command=True)
_reads = rule(people=_READERS)
_psychology_writes = rule(partners=(PSYCHOLOGY,), command=True)
# Which agency it is, the command asks: the one that is invited.
_invited_writes = rule(partners=ALL_AGENCY_KINDS, command=True)
_fetches = rule(services=(EXCHANGE, CONSENT, REFERRALS, MONITORING))

POLICY: Policy = {
    "ScheduleMeeting": _practises,
    "RescheduleMeeting": _practises,
    "CancelMeeting": _practises,
    "GetMeeting": _reads,
    "ListMeetings": _reads,
    # The case manager chooses the invitees (221).
    "InviteAgency": _manages_case,
    "CancelInvitation": _narrows,
    "AnswerInvitation": _invited_writes,
    "ContributeInformation": _invited_writes,
    "ListContributions": rule(people=_PRACTITIONERS),
    "DrawGenogram": _practises,
    "GetGenogram": _reads,
    "RecordChildVoice": _practises,
    # The senior practitioner edits the timeline, the case manager contributes (223).
    "AddTimelineEntry": _practises,
    "UpdateTimelineEntry": _practises,
    "RetractTimelineEntry": _narrows,
    "ListTimeline": _reads,
    "DrawTimeline": _practises,
    "GetTimeline": _reads,
    "HoldMeeting": _practises,
    "RecordDevelopmentalMap": _psychology_writes,
    "PlaceOnRecoveryModel": _psychology_writes,
    "RecordRecommendations": _psychology_writes,
    "DraftReport": _psychology_writes,
    # Until it is final, the draft is for those who check it (170, 226).
    "GetReportDraft": rule(people=_PRACTITIONERS),
    "CheckReport": _practises,
    "FinaliseReport": _psychology_writes,
    "AmendReport": _psychology_writes,
    "GetReport": _reads,
    # The case manager circulates, as agreed at the meeting (227).
    "CirculateReport": _manages_case,
    "EndCirculation": _narrows,
    "GetFormulation": _reads,
    "ListRecordVersions": _fetches,
    "ListChildRecords": _fetches,
}
