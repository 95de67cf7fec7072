"""Agreements, clients, overrides, gates, explanations, and whose records one sees."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_records_pb2 as records
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.kit.errors import Reason
from rpc.consent.builders import agreement, ending, give, withdraw
from rpc.consent.conftest import Consent, given, opens_all

CUSTODY = "custody-northgate"
ENFORCED = service.ENFORCEMENT_STATE_ENFORCED
EDUCATION = values_pb2.CATEGORY_EDUCATION


async def propose(consent: Consent, **more: Any) -> Any:
    wanted = agreement(CUSTODY, consent=False, categories=(EDUCATION,), **more)
    return (
        await consent.call("ProposeAgreement", service.ProposeAgreementRequest(agreement=wanted), "administrator")
    ).ref


def approval(ref: Any) -> service.ApproveAgreementRequest:
    return service.ApproveAgreementRequest(agreement_id=ref.record_id, expected_version=ref.version)


async def test_an_agreement_opens_when_a_second_person_approves_and_ends_in_one_call(
    agreed: Consent, refusal: Any
) -> None:
    child_id, _ = await given(agreed)
    ref = await propose(agreed)
    refused = await refusal(agreed.call("ApproveAgreement", approval(ref), "administrator"))
    assert refused.reason is Reason.SECOND_PERSON_REQUIRED
    answer = await agreed.call("ApproveAgreement", approval(ref), "data-protection-officer")
    assert not answer.HasField("enforcement")
    held = await agreed.exchange.until(child_id, lambda held: any(g.recipient == CUSTODY for g in held.grants))
    lines = {grant.line_id for grant in held.grants if grant.recipient == CUSTODY}
    assert lines < {line.line_id for line in agreed.exchange.region.lines}
    request = service.EndAgreementRequest(
        agreement_id=ref.record_id, expected_version=answer.ref.version, reason="ended in a test"
    )
    ended = await agreed.call("EndAgreement", request, "administrator")
    assert ended.enforcement.state == ENFORCED
    assert lines.isdisjoint(line.line_id for line in agreed.exchange.region.lines)
    await agreed.exchange.until(child_id, lambda held: all(g.recipient != CUSTODY for g in held.grants))


async def test_a_new_version_opens_nothing_until_approved_and_may_narrow(agreed: Consent) -> None:
    ref = await propose(agreed, key="custody-versions")
    await agreed.call("ApproveAgreement", approval(ref), "data-protection-officer")
    before = {line.line_id for line in agreed.exchange.region.lines}
    wanted = agreement(CUSTODY, consent=True, categories=(EDUCATION,), key="custody-versions")
    request = service.ProposeAgreementRequest(agreement=wanted)
    again = (await agreed.call("ProposeAgreement", request, "administrator")).ref
    assert (again.record_id, again.version) == (ref.record_id, 3)
    listed = (await agreed.call("ListAgreements", service.ListAgreementsRequest(), "administrator")).agreements
    mine = next(one for one in listed if one.agreement.key == "custody-versions")
    assert mine.agreement.state == records.AGREEMENT_STATE_PROPOSED
    assert not mine.in_force.lines[0].needs_consent
    answer = await agreed.call("ApproveAgreement", approval(again), "data-protection-officer")
    assert answer.enforcement.state == ENFORCED
    assert {line.line_id for line in agreed.exchange.region.lines} != before
    request = service.EndAgreementRequest(agreement_id=ref.record_id, expected_version=4, reason="over")
    await agreed.call("EndAgreement", request, "administrator")


async def test_a_client_is_blocked_and_let_in_again(agreed: Consent, refusal: Any) -> None:
    for blocked in (True, False):
        request = service.BlockClientRequest(client_id="la-eastvale", blocked=blocked, reason="a test")
        answer = await agreed.call("BlockClient", request, "administrator")
        assert answer.enforcement.state == ENFORCED
        clients = {client.client_id: client.blocked for client in agreed.exchange.region.clients}
        assert clients == {"nhs-psychology": False, "la-eastvale": blocked, "custody-northgate": False}
    unknown = service.BlockClientRequest(client_id="nobody", blocked=True)
    assert (await refusal(agreed.call("BlockClient", unknown, "administrator"))).reason is Reason.NOT_FOUND


def override(child_id: str, hours: float = 1) -> service.OpenOverrideRequest:
    wanted = records.Override(
        recipient=CUSTODY,
        categories=[values_pb2.CATEGORY_HEALTH],
        reason="An invented reason.",
        threshold="significant-harm",
        child_told=True,
    )
    wanted.ends_at.FromDatetime(datetime.now(UTC) + timedelta(hours=hours))
    return service.OpenOverrideRequest(child_id=child_id, override=wanted)


def custody(held: Any) -> set[str]:
    return {grant.basis for grant in held.grants if grant.recipient == CUSTODY}


async def test_an_override_opens_after_a_withdrawal_is_reviewed_and_ends(agreed: Consent, refusal: Any) -> None:
    child_id, case_id = await given(agreed)
    await agreed.call("Withdraw", withdraw(case_id))
    ref = (await agreed.call("OpenOverride", override(child_id), "operational-manager")).ref
    held = await agreed.exchange.until(child_id, custody)
    assert custody(held) == {"override"}
    review = service.ReviewOverrideRequest(override_id=ref.record_id, expected_version=ref.version)
    refused = await refusal(agreed.call("ReviewOverride", review, "operational-manager"))
    assert refused.reason is Reason.SECOND_PERSON_REQUIRED
    renewal = service.RenewOverrideRequest(override_id=ref.record_id, expected_version=ref.version, reason="still")
    renewal.ends_at.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    review.expected_version = (await agreed.call("RenewOverride", renewal, "yot-manager")).ref.version
    # Who opened it can't review it either, though somebody else has renewed it since.
    refused = await refusal(agreed.call("ReviewOverride", review, "operational-manager"))
    assert refused.reason is Reason.SECOND_PERSON_REQUIRED
    reviewed = (await agreed.call("ReviewOverride", review, "supervisor")).ref
    request = service.EndOverrideRequest(override_id=ref.record_id, expected_version=reviewed.version, reason="over")
    assert (await agreed.call("EndOverride", request)).enforcement.state == ENFORCED
    assert not custody(agreed.exchange.sets[child_id])


async def test_an_override_ends_by_itself(agreed: Consent, refusal: Any) -> None:
    child_id, _ = agreed.child()
    refused = await refusal(agreed.call("OpenOverride", override(child_id, 73), "yot-manager"))
    assert refused.field == "override.ends_at"
    await agreed.call("OpenOverride", override(child_id, 1.5 / 3600), "yot-manager")
    await agreed.exchange.until(child_id, custody)
    await agreed.exchange.until(child_id, lambda held: not custody(held))


async def test_a_no_must_be_superseded_by_name_and_a_parent_cant_reopen(agreed: Consent, refusal: Any) -> None:
    child_id, case_id = await given(agreed)
    withdrawn = (await agreed.call("Withdraw", withdraw(case_id))).ref
    refused = await refusal(agreed.call("GiveConsent", give(case_id)))
    assert refused.reason is Reason.SUPERSESSION_REQUIRED
    assert refused.metadata["supersedes"] == withdrawn.record_id
    alone = give(case_id, "PARENTAL_RESPONSIBILITY", supersedes=withdrawn.record_id)
    assert (await refusal(agreed.call("GiveConsent", alone))).reason is Reason.SIGNATURES_INCOMPLETE
    await agreed.call("GiveConsent", give(case_id, supersedes=withdrawn.record_id))
    await agreed.exchange.until(child_id, opens_all)
    listed = await agreed.call("ListConsents", service.ListConsentsRequest(case_id=case_id))
    assert [one.consent.state for one in listed.consents] == [
        records.CONSENT_STATE_GIVEN,
        records.CONSENT_STATE_SUPERSEDED,
    ]


async def test_a_refusal_is_recorded_by_any_role_and_closes_the_gate(agreed: Consent) -> None:
    _, case_id = agreed.child()
    request = service.RefuseConsentRequest(case_id=case_id, ending=ending())
    first = await agreed.call("RefuseConsent", request, "yot-manager")
    assert first.enforcement.state == ENFORCED
    assert (await agreed.call("RefuseConsent", request, "supervisor")).ref == first.ref
    gate = service.CheckGateRequest(case_id=case_id, gate=service.GATE_SCHEDULE)
    answer = await agreed.call("CheckGate", gate, service="formulation")
    assert (answer.open, answer.reason) == (False, "Consent was refused.")


async def test_the_gate_opens_with_consent(agreed: Consent) -> None:
    _, case_id = await given(agreed)
    gate = service.CheckGateRequest(case_id=case_id, gate=service.GATE_HOLD)
    answer = await agreed.call("CheckGate", gate, service="formulation")
    assert answer.open
    assert (answer.consent_id, answer.consent_version) != ("", 0)


async def test_explanations_say_in_plain_words_why(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    request = service.ExplainGrantsRequest(child_id=child_id, agency="nhs-psychology")
    told = await agreed.call("ExplainGrants", request)
    assert len(told.categories) == 10
    assert all(one.permitted for one in told.categories)
    assert told.categories[1].reason.startswith(
        "Seen: agreement psychology-1 line referral is in force and the consent given on "
    )
    assert told.version == agreed.exchange.sets[child_id].version
    await agreed.call("Withdraw", withdraw(case_id))
    told = await agreed.call("ExplainGrants", request)
    assert not told.grants
    assert "it was withdrawn by the child on" in told.categories[1].reason


async def test_another_yots_case_isnt_there(agreed: Consent, refusal: Any) -> None:
    child_id, case_id = agreed.child(yot="westmoor")
    for method, request in (
        ("GiveConsent", give(case_id)),
        ("Withdraw", withdraw(case_id)),
        ("ListConsents", service.ListConsentsRequest(case_id=case_id)),
        ("ExplainGrants", service.ExplainGrantsRequest(child_id=child_id, agency="nhs-psychology")),
        ("GiveConsent", give(str(uuid4()))),
    ):
        assert (await refusal(agreed.call(method, request))).reason is Reason.NOT_FOUND
    await agreed.call("GiveConsent", give(case_id), "other-case-manager")


async def test_records_are_listed_for_services(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    request = service.ListChildRecordsRequest(child_id=child_id)
    found = (await agreed.call("ListChildRecords", request, service="exchange")).versions
    assert [(one.kind, one.case_id, one.yot) for one in found] == [("CONSENT", case_id, "eastvale")]
    versions = service.ListRecordVersionsRequest(record_id=found[0].record_id)
    told = (await agreed.call("ListRecordVersions", versions, service="exchange")).versions
    content = records.Consent()
    assert told[0].content.Unpack(content)
    assert content.state == records.CONSENT_STATE_GIVEN
