"""Case → EpisodeOfCare; once referred also ServiceRequest (the order) and Task (the state).

https://hl7.org/fhir/R4/episodeofcare.html, …/servicerequest.html, …/task.html
"""

from typing import Final

from ecm.api.referrals.v1.referrals_records_pb2 import Case, CaseEndReason, CaseState, CaseStep
from ecm.exchange.mapping import codes, ids
from ecm.exchange.mapping.categories import REFERRAL
from ecm.exchange.mapping.elements import enum_concept, instant
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.vocabulary import own

S = CaseState

# State → (EpisodeOfCare, ServiceRequest, Task) in R4's own status codes; the state itself is Task.businessStatus.
_STATUS: Final = {
    S.CASE_STATE_DISCUSSED: ("planned", "draft", "draft"),
    S.CASE_STATE_POTENTIAL: ("waitlist", "draft", "draft"),
    S.CASE_STATE_READINESS_ASSESSMENT: ("planned", "draft", "draft"),
    S.CASE_STATE_GO_AHEAD: ("planned", "draft", "draft"),
    S.CASE_STATE_REFERRED: ("planned", "active", "requested"),
    S.CASE_STATE_VIABILITY_DISCUSSION: ("planned", "active", "received"),
    S.CASE_STATE_PANEL_APPROVAL: ("planned", "active", "received"),
    S.CASE_STATE_ACCEPTED: ("active", "active", "accepted"),
    S.CASE_STATE_FORMULATION_SCHEDULED: ("active", "active", "in-progress"),
    S.CASE_STATE_FORMULATION_HELD: ("active", "active", "in-progress"),
    S.CASE_STATE_REPORT_DRAFTED: ("active", "active", "in-progress"),
    S.CASE_STATE_REPORT_CHECKED: ("active", "active", "in-progress"),
    S.CASE_STATE_REPORT_FINAL: ("active", "active", "in-progress"),
    S.CASE_STATE_REPORT_SHARED: ("active", "active", "in-progress"),
    S.CASE_STATE_INTERVENTION_IN_PROGRESS: ("active", "active", "in-progress"),
    S.CASE_STATE_PSYCHOLOGY_WITHDRAWN: ("active", "completed", "completed"),
    S.CASE_STATE_CLOSED: ("finished", "completed", "completed"),
    S.CASE_STATE_NOT_CARRIED_FORWARD: ("cancelled", "revoked", "rejected"),
    S.CASE_STATE_CONSENT_WITHDRAWN: ("onhold", "on-hold", "on-hold"),
}
_UNSAID: Final = ("planned", "unknown", "draft")
_OVER: Final = frozenset({S.CASE_STATE_CLOSED, S.CASE_STATE_NOT_CARRIED_FORWARD})
# From "referred" to "psychology withdrawn" the referral has been sent, even where its step isn't listed.
_SENT: Final = range(S.CASE_STATE_REFERRED, S.CASE_STATE_PSYCHOLOGY_WITHDRAWN + 1)


def map_case(source: Source[Case]) -> list[MappedResource]:
    """The case; its order and its state from the moment when the referral is sent (checklist 84)."""
    found = [source.resource("EpisodeOfCare", lambda _: _episode(source), REFERRAL)]
    if _was_referred(source.content):
        found += [
            source.resource(
                "ServiceRequest", lambda _: _request(source), REFERRAL, profile=codes.UKCORE_SERVICE_REQUEST
            ),
            source.resource("Task", lambda _: _task(source), REFERRAL),
        ]
    return found


def _was_referred(case: Case) -> bool:
    return case.state in _SENT or _referred_step(case) is not None


def _referred_step(case: Case) -> CaseStep | None:
    return next((step for step in case.steps if step.to == S.CASE_STATE_REFERRED), None)


def _referred_at(case: Case) -> str | None:
    step = _referred_step(case)
    return instant(step.at) if step else None


def _status(case: Case) -> tuple[str, str, str]:
    return _STATUS.get(case.state, _UNSAID)


def _episode(source: Source[Case]) -> Json:
    case = source.content
    first = instant(case.steps[0].at) if case.steps else None
    last = instant(case.steps[-1].at) if case.steps and case.state in _OVER else None
    return {
        "status": _status(case)[0],
        "type": [own(codes.REQUEST, "enhanced-case-management")],
        "patient": source.subject,
        "managingOrganization": source.context.yot(source.yot),
        "period": {"start": first, "end": last},
    }


def _request(source: Source[Case]) -> Json:
    case = source.content
    sent = [(case.referral_form_id, "QuestionnaireResponse"), (case.assessment_id, "DocumentReference")]
    return {
        "status": _status(case)[1],
        "intent": "order",
        "code": own(codes.REQUEST, "ecm-referral"),
        "subject": source.subject,
        "authoredOn": _referred_at(case),
        "requester": source.context.yot(source.yot),
        "supportingInfo": [ids.reference(record, kind) for record, kind in sent if record],
    }


def _task(source: Source[Case]) -> Json:
    case = source.content
    return {
        "basedOn": [source.own("ServiceRequest")],
        "status": _status(case)[2],
        "statusReason": enum_concept(codes.CASE_END_REASON, CaseEndReason, case.end_reason),
        "businessStatus": enum_concept(codes.CASE_STATE, CaseState, case.state),
        "intent": "order",
        "code": own(codes.REQUEST, "ecm-referral-progress"),
        "focus": source.own("ServiceRequest"),
        "for": source.subject,
        "authoredOn": _referred_at(case),
        "lastModified": instant(case.steps[-1].at) if case.steps else None,
        "requester": source.context.yot(source.yot),
    }
