"""What widens elsewhere arrives as an event, and opens records to one agency."""

from typing import Any
from uuid import uuid4

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.api.formulation.v1.formulation_records_pb2 import Circulation
from rpc.consent.builders import give
from rpc.consent.conftest import Consent, empty, opens_all

COUNCIL = "la-eastvale"
MINIMUM, FULL = values_pb2.VIEW_MINIMUM, values_pb2.VIEW_FULL


def opened(held: Any, agency: str = COUNCIL) -> dict[str, int]:
    """Record → view of what the agency has; the Patient as such."""
    mine = [grant for grant in held.grants if grant.recipient == agency]
    assert not any(grant.category for grant in mine)
    return {grant.record_id or "patient": grant.view for grant in mine}


async def test_an_invitation_opens_meeting_invitation_and_minimum_to_one_agency(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    meeting = str(uuid4())
    invitation = agreed.keep_formulation("INVITATION", child_id, case_id, meeting_id=meeting, agency=COUNCIL)
    await agreed.tell("formulation", invitation)
    held = await agreed.exchange.until(child_id, lambda held: held.grants)
    assert opened(held) == {meeting: FULL, invitation.record_id: FULL, "patient": MINIMUM}
    assert {grant.recipient for grant in held.grants} == {COUNCIL}


async def test_circulation_and_authorship_open_one_record_each(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    posted = agreed.keep_formulation("CONTRIBUTION", child_id, case_id, agency=COUNCIL)
    report = agreed.keep_formulation("REPORT", child_id, case_id, circulations=[Circulation(agency=COUNCIL)])
    other = agreed.keep_formulation("REPORT", child_id, case_id)
    for version in (posted, report, other):
        await agreed.tell("formulation", version)
    held = await agreed.exchange.until(child_id, lambda held: len(opened(held)) == 3)
    assert opened(held) == {posted.record_id: FULL, report.record_id: FULL, "patient": MINIMUM}
    ended = [Circulation(agency=COUNCIL, ended=True)]
    again = agreed.keep_formulation("REPORT", child_id, case_id, report.record_id, circulations=ended)
    await agreed.tell("formulation", again)
    held = await agreed.exchange.until(child_id, lambda held: report.record_id not in opened(held))
    # What it posted, as it posted it, and of the child no more.
    assert opened(held) == {posted.record_id: FULL}


async def test_psychologys_own_posts_go_with_the_consent(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    posted = agreed.keep_formulation("CONTRIBUTION", child_id, case_id, agency="nhs-psychology")
    await agreed.call("GiveConsent", give(case_id))
    await agreed.tell("formulation", posted)
    held = await agreed.exchange.until(child_id, lambda held: any(grant.record_id for grant in held.grants))
    assert opens_all(held)
    ending = {"by": 1, "said_on": values_pb2.Date(year=2026, month=11, day=1)}
    answer = await agreed.call("Withdraw", service.WithdrawRequest(case_id=case_id, ending=ending))
    assert answer.enforcement.state == service.ENFORCEMENT_STATE_ENFORCED
    assert empty(agreed.exchange.sets[child_id])


async def test_an_event_of_a_closed_invitation_takes_it_back(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    terms: dict[str, Any] = {"meeting_id": str(uuid4()), "agency": COUNCIL}
    invitation = agreed.keep_formulation("INVITATION", child_id, case_id, **terms)
    await agreed.tell("formulation", invitation)
    await agreed.exchange.until(child_id, lambda held: held.grants)
    closed = agreed.keep_formulation("INVITATION", child_id, case_id, invitation.record_id, closed=True, **terms)
    await agreed.tell("formulation", closed)
    await agreed.exchange.until(child_id, empty)


async def test_before_the_first_grant_the_exchange_hears_nothing_of_a_child(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    await agreed.tell("referrals", agreed.kept.versions[-1])
    await agreed.call(
        "SeekConsent", service.SeekConsentRequest(case_id=case_id, sought_on={"year": 2026, "month": 11, "day": 2})
    )
    other, _ = agreed.child()
    await agreed.call("GiveConsent", give(agreed.kept.versions[-1].record_id))
    await agreed.exchange.until(other, opens_all)
    assert child_id not in agreed.exchange.sets
