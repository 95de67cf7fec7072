"""What narrows is told to `consent` first, and is never lost or committed at another version than was told."""

import uuid

from ecm.api.common.v1.values_pb2 import PROTECTED_KIND_ADDRESS as ADDRESS
from ecm.api.common.v1.values_pb2 import Date
from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.kit.errors import Reason
from rpc.referrals.desk import MANAGER, OPERATIONAL, SENIOR, Desk, fresh_number
from unit.referrals.builders import child


def protect(child_id: str, *named: str, version: int = 1) -> pb.ProtectDetailRequest:
    return pb.ProtectDetailRequest(
        child_id=child_id, expected_version=version, kind=ADDRESS, named_agencies=named, reason="safety plan"
    )


async def flags(desk: Desk, child_id: str) -> list[tuple[int, list[str]]]:
    return [(flag.kind, list(flag.named_agencies)) for flag in (await desk.file(child_id)).child.protected_flags]


async def test_consent_knows_before_the_file_says_so(desk: Desk) -> None:
    child_id = await desk.child()
    seen: list[object] = []

    async def look() -> None:
        seen.extend(await flags(desk, child_id))

    desk.consent.meanwhile = look
    answer = await desk.call("supervisor", "ProtectDetail", protect(child_id, "nhs-psychology"))
    (told,) = desk.consent.told
    assert told.child_id == child_id
    assert (told.protect.kind, list(told.protect.named_agencies)) == (ADDRESS, ["nhs-psychology"])
    assert told.protect.child_version == answer.ref.version == 2
    assert seen == []
    assert await flags(desk, child_id) == [(ADDRESS, ["nhs-psychology"])]


async def test_consent_is_told_again_where_the_file_moved_on(desk: Desk) -> None:
    child_id = await desk.child()
    other = child(local_case_number=fresh_number(), nhs_number="", family_name="Umberwick")
    change = pb.UpdateChildRequest(child_id=child_id, expected_version=1, child=other)
    desk.consent.meanwhile = lambda: desk.call(MANAGER, "UpdateChild", change)
    answer = await desk.call(MANAGER, "ProtectDetail", protect(child_id))
    first, again = desk.consent.told
    assert (first.protect.child_version, again.protect.child_version) == (2, 3)
    assert first.intent_id != again.intent_id
    assert answer.ref.version == 3
    assert (await desk.file(child_id)).child.family_name == "Umberwick"
    assert await flags(desk, child_id) == [(ADDRESS, [])]


async def test_consent_away_the_intent_stays_and_is_completed(desk: Desk) -> None:
    child_id = await desk.child()
    key = str(uuid.uuid4())
    desk.consent.away = True
    refusal = await desk.refused(MANAGER, "ProtectDetail", protect(child_id), key=key)
    assert refusal.reason is Reason.CONSENT_UNREACHABLE
    assert await flags(desk, child_id) == []
    second = await desk.refused(MANAGER, "ProtectDetail", protect(child_id))
    assert second.reason is Reason.VERSION_CONFLICT
    desk.consent.away = False
    answer = await desk.call(MANAGER, "ProtectDetail", protect(child_id), key=key)
    assert answer.ref.version == 2
    assert await desk.call(MANAGER, "ProtectDetail", protect(child_id), key=key) == answer
    assert len(desk.consent.told) == 1


async def test_what_cannot_be_done_is_refused_before_consent_hears_of_it(desk: Desk) -> None:
    child_id = await desk.child()
    for request, reason in (
        (protect(child_id, version=2), Reason.VERSION_CONFLICT),
        (protect(child_id, "nobody"), Reason.INVALID_VALUE),
        (protect(str(uuid.uuid4())), Reason.NOT_FOUND),
        (protect("x"), Reason.INVALID_VALUE),
        (pb.ProtectDetailRequest(child_id=child_id, expected_version=1), Reason.MISSING_VALUE),
    ):
        assert (await desk.refused(MANAGER, "ProtectDetail", request)).reason is reason
    assert not desk.consent.told


async def test_ending_a_protection_is_the_case_managers_and_needs_no_narrowing(desk: Desk) -> None:
    child_id = await desk.child()
    await desk.call(MANAGER, "ProtectDetail", protect(child_id))
    request = pb.UnprotectDetailRequest(
        child_id=child_id, expected_version=2, kind=ADDRESS, further_agencies=["la-eastvale"], reason="agreed"
    )
    assert (await desk.refused("supervisor", "UnprotectDetail", request)).reason is Reason.PERMISSION_DENIED
    await desk.call(MANAGER, "UnprotectDetail", request)
    assert await flags(desk, child_id) == [(ADDRESS, ["la-eastvale"])]
    assert len(desk.consent.told) == 1


async def test_a_corrected_birth_date_goes_through_consent(desk: Desk) -> None:
    child_id = await desk.child()
    request = pb.CorrectDateOfBirthRequest(
        child_id=child_id, expected_version=1, date_of_birth=Date(year=2011, month=6, day=15), reason="mistyped"
    )
    await desk.call(MANAGER, "CorrectDateOfBirth", request)
    (told,) = desk.consent.told
    assert (told.birth_date.date_of_birth.year, told.birth_date.child_version) == (2011, 2)
    assert (await desk.file(child_id)).child.date_of_birth.year == 2011
    request.expected_version = 2
    assert (await desk.refused(MANAGER, "CorrectDateOfBirth", request)).reason is Reason.INVALID_VALUE


async def test_a_case_is_closed_through_consent_and_reopened_by_itself(desk: Desk) -> None:
    case_id = await desk.accepted()
    version = (await desk.read(case_id)).ref.version
    closing = pb.CloseCaseRequest(
        case_id=case_id, expected_version=version, end_reason=records.CASE_END_REASON_MOVED, reason="moved away"
    )
    assert (await desk.refused("supervisor", "CloseCase", closing)).reason is Reason.PERMISSION_DENIED
    await desk.call(OPERATIONAL, "CloseCase", closing)
    (told,) = desk.consent.told
    assert (told.close_case.case_id, told.close_case.case_version) == (case_id, version + 1)
    assert (await desk.read(case_id)).case.state == records.CASE_STATE_CLOSED
    await desk.step(MANAGER, "ReopenCase", case_id, reason="reoffended")
    case = (await desk.read(case_id)).case
    assert (case.state, case.times_reopened) == (records.CASE_STATE_ACCEPTED, 1)
    assert case.end_reason == records.CASE_END_REASON_UNSPECIFIED


async def test_a_case_that_is_not_viable_ends_through_consent(desk: Desk) -> None:
    case_id = await desk.accepted(upto="DiscussViability")
    version = (await desk.read(case_id)).ref.version
    request = pb.DecideViabilityRequest(case_id=case_id, expected_version=version)
    refusal = await desk.refused(SENIOR, "DecideViability", request)
    assert (refusal.reason, refusal.field) == (Reason.MISSING_VALUE, "reason")
    request.reason = "too short an order"
    await desk.call(SENIOR, "DecideViability", request)
    (told,) = desk.consent.told
    assert (told.close_case.case_id, told.close_case.case_version) == (case_id, version + 1)
    case = (await desk.read(case_id)).case
    assert case.state == records.CASE_STATE_NOT_CARRIED_FORWARD
    assert (case.end_reason, case.steps[-1].by) == (records.CASE_END_REASON_NOT_VIABLE, SENIOR)
