"""Who may call which RPC, from the practice (checklist P, 217 to 232) and not from the code.

A word per role: cm case-manager, sp senior-practitioner, om operational-manager, su supervisor, ym yot-manager,
an analyst, dp data-protection-officer, ad administrator. A service by its name with `@`; a partner's agency kind,
on whose behalf the exchange calls, with `+`.
"""

ROLES = {
    "cm": "case-manager",
    "sp": "senior-practitioner",
    "om": "operational-manager",
    "su": "supervisor",
    "ym": "yot-manager",
    "an": "analyst",
    "dp": "data-protection-officer",
    "ad": "administrator",
}

REFERRALS = {
    # 217: the case manager creates and submits the referral; others advise or discuss
    "RegisterChild": "cm",
    "UpdateChild": "cm",
    "AddFamilyMember": "cm",
    "UpdateFamilyMember": "cm",
    "OpenCase": "cm",
    "SaveReferralForm": "cm",
    "AttachAssessment": "cm",
    "SendReferral": "cm",
    # what narrows never waits for somebody's leave
    "ProtectDetail": "cm sp om su ym",
    "CorrectDateOfBirth": "cm sp om su ym",
    "UnprotectDetail": "cm",
    # 218: managers decide criteria and go-ahead, the senior practitioner sifts and prioritises
    "AssessEligibility": "om su ym",
    "AssessReadiness": "cm sp om su ym",
    "DeferCase": "sp om su ym",
    "AgreeGoAhead": "om su ym",
    # 219: viability is decided by case manager and senior practitioner
    "DiscussViability": "cm sp",
    "DecideViability": "cm sp",
    "DecidePanel": "sp om su ym",
    # 229, 232: case decisions, and the end of psychology
    "BeginIntervention": "cm om su ym",
    "WithdrawPsychology": "cm sp",
    "CloseCase": "cm om",
    "ReopenCase": "cm om",
    "AnswerChecklist": "cm sp",
    "GetChild": "cm sp om su ym dp",
    "FindChildren": "cm sp om su ym dp @exchange",
    "ListFamilyMembers": "cm sp om su ym dp",
    "GetCase": "cm sp om su ym dp",
    "ListCases": "cm sp om su ym dp",
    "GetReferralForm": "cm sp om su ym dp",
    "ListRecordVersions": "@consent @formulation @monitoring @exchange",
    "ListChildRecords": "@consent @formulation @monitoring @exchange",
}

CONSENT = {
    # 220: the case manager records consent; refusal and withdrawal any role that works with children
    "SeekConsent": "cm",
    "GiveConsent": "cm",
    "RefuseConsent": "cm sp om su ym dp",
    "Withdraw": "cm sp om su ym dp",
    "GetEnforcement": "cm sp om su ym dp ad @referrals @formulation",
    "ListConsents": "cm sp om su ym dp",
    "CheckGate": "cm sp om su ym dp @formulation",
    "Narrow": "@referrals @formulation",
    "ProposeAgreement": "ad",
    "ApproveAgreement": "ad dp",
    "EndAgreement": "ad dp",
    "ListAgreements": "ad dp",
    "BlockClient": "ad dp",
    "OpenOverride": "om ym",
    "RenewOverride": "om ym",
    "ReviewOverride": "om su ym dp",
    "EndOverride": "cm sp om su ym dp",
    "ExplainGrants": "cm sp om dp",
    "RenewLease": "@exchange",
    "ListRecordVersions": "@referrals @monitoring @exchange",
    "ListChildRecords": "@referrals @monitoring @exchange",
}

MONITORING = {
    # 228, 231: the plan is the case manager's, the data the senior practitioner's; managers see the aggregate
    "MakePlan": "cm",
    "ChangePlan": "cm",
    "GetPlan": "cm sp",
    "RecordReview": "cm sp",
    "ListReviews": "cm sp",
    "RecordOutcome": "cm sp",
    "ListOutcomes": "cm sp",
    "EnterCaseload": "sp",
    # 213, 230: own sessions, never read back
    "RecordSupervision": "cm sp",
    "ListDeadlines": "cm sp",
    "GetReturn": "sp om su ym an",
    "ListRecordVersions": "@exchange",
    "ListChildRecords": "@exchange",
}

EXCHANGE = {
    "ApplyGrants": "@consent",
    "ApplyRegion": "@consent",
    "ListDisclosures": "cm sp om su ym dp",
    "RecordManualDisclosure": "cm sp om su ym dp",
    "VerifyAudit": "dp ad",
    "GetProjection": "dp ad @referrals @consent @formulation @monitoring",
}

FORMULATION = {
    "ScheduleMeeting": "cm sp",
    "RescheduleMeeting": "cm sp",
    "CancelMeeting": "cm sp",
    "GetMeeting": "cm sp om su",
    "ListMeetings": "cm sp om su",
    # 221: the case manager chooses the invitees; taking back narrows
    "InviteAgency": "cm",
    "CancelInvitation": "cm sp om su ym dp",
    "AnswerInvitation": "+any",
    "ContributeInformation": "+any",
    "ListContributions": "cm sp",
    "DrawGenogram": "cm sp",
    "GetGenogram": "cm sp om su",
    "RecordChildVoice": "cm sp",
    # 223: the senior practitioner edits the timeline, the case manager contributes
    "AddTimelineEntry": "cm sp",
    "UpdateTimelineEntry": "cm sp",
    "RetractTimelineEntry": "cm sp om su ym dp",
    "ListTimeline": "cm sp om su",
    "DrawTimeline": "cm sp",
    "GetTimeline": "cm sp om su",
    "HoldMeeting": "cm sp",
    # 224, 225: the psychologist alone writes
    "RecordDevelopmentalMap": "+psychology",
    "PlaceOnRecoveryModel": "+psychology",
    "RecordRecommendations": "+psychology",
    "DraftReport": "+psychology",
    "FinaliseReport": "+psychology",
    "AmendReport": "+psychology",
    # 226: case manager and senior practitioner check; the draft is for them alone
    "GetReportDraft": "cm sp",
    "CheckReport": "cm sp",
    "GetReport": "cm sp om su",
    "GetFormulation": "cm sp om su",
    # 227: the case manager circulates
    "CirculateReport": "cm",
    "EndCirculation": "cm sp om su ym dp",
    "ListRecordVersions": "@referrals @consent @monitoring @exchange",
    "ListChildRecords": "@referrals @consent @monitoring @exchange",
}

EXPECTED = {
    "referrals": REFERRALS,
    "consent": CONSENT,
    "formulation": FORMULATION,
    "monitoring": MONITORING,
    "exchange": EXCHANGE,
}
