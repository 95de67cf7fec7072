"""Papers whose declaration becomes stricter: told to `consent`, withheld, replaced, and the case follows."""

import uuid
from datetime import datetime, timedelta

from ecm.api.common.v1.record_pb2 import CHANGE_CLOSED
from ecm.api.common.v1.values_pb2 import PROTECTED_KIND_ADDRESS, FreeText, ProtectedDeclaration
from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.kit.clock import SystemClock
from ecm.kit.errors import Reason
from rpc.referrals.desk import MANAGER, Desk
from unit.referrals import builders

FREE = ProtectedDeclaration()


class Later(SystemClock):
    """So late that the worker takes up what was left."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=1)


def attach(
    desk: Desk, case_id: str, declared: ProtectedDeclaration | None, title: str = "AssetPlus"
) -> pb.AttachAssessmentRequest:
    assessment = builders.assessment(desk.today())
    assessment.document.title = title
    if declared is not None:
        assessment.document.declaration.CopyFrom(declared)
    return pb.AttachAssessmentRequest(case_id=case_id, assessment=assessment)


async def attached(desk: Desk, case_id: str, declared: ProtectedDeclaration | None, title: str = "AssetPlus") -> str:
    answer = await desk.call(MANAGER, "AttachAssessment", attach(desk, case_id, declared, title))
    return str(answer.ref.record_id)


async def is_closed(desk: Desk, record_id: str) -> bool:
    request = pb.ListRecordVersionsRequest(record_id=record_id)
    versions = (await desk.call("ecm-exchange", "ListRecordVersions", request)).versions
    return bool(versions[-1].change == CHANGE_CLOSED)


async def test_an_assessment_with_a_stricter_declaration_replaces_the_old_one(desk: Desk) -> None:
    case_id = await desk.accepted("SendReferral")
    undeclared = (await desk.read(case_id)).case.assessment_id
    free = await attached(desk, case_id, FREE)
    assert free == undeclared
    assert not desk.consent.told
    stricter = await attached(desk, case_id, ProtectedDeclaration(holds=[PROTECTED_KIND_ADDRESS]))
    assert stricter != free
    assert [told.record.record_id for told in desk.consent.told] == [free]
    assert desk.consent.told[0].record.agency == ""
    assert await is_closed(desk, free)
    case = (await desk.read(case_id)).case
    assert case.assessment_id == stricter
    assert case.state == records.CASE_STATE_REFERRED
    assert await attached(desk, case_id, FREE) == stricter
    assert await attached(desk, case_id, None) != stricter


async def test_what_is_attached_while_consent_is_away_waits_and_is_done_once(desk: Desk) -> None:
    case_id = await desk.case()
    free = await attached(desk, case_id, FREE)
    stricter, key = attach(desk, case_id, None), str(uuid.uuid4())
    desk.consent.away = True
    refusal = await desk.refused(MANAGER, "AttachAssessment", stricter, key=key)
    assert refusal.reason is Reason.CONSENT_UNREACHABLE
    for declared in (FREE, None):
        other = await desk.refused(MANAGER, "AttachAssessment", attach(desk, case_id, declared, "Another"))
        assert other.reason is Reason.VERSION_CONFLICT
    assert not await is_closed(desk, free)
    desk.consent.away = False
    first = await desk.call(MANAGER, "AttachAssessment", stricter, key=key)
    assert await desk.call(MANAGER, "AttachAssessment", stricter, key=key) == first
    assert await is_closed(desk, free)
    assert len(desk.consent.told) == 1


async def test_what_the_worker_completed_is_answered_to_the_repetition(desk: Desk) -> None:
    case_id = await desk.case()
    await attached(desk, case_id, FREE)
    stricter, key = attach(desk, case_id, None), str(uuid.uuid4())
    desk.consent.away = True
    await desk.refused(MANAGER, "AttachAssessment", stricter, key=key)
    desk.consent.away = False
    clock = desk.uow.clock
    desk.uow.clock = Later()
    await desk.narrowings.finish_open()
    desk.uow.clock = clock
    later = await attached(desk, case_id, None, "A later one")
    answer = await desk.call(MANAGER, "AttachAssessment", stricter, key=key)
    assert answer.ref.version == 1
    assert answer.ref.record_id == later


async def test_a_bad_assessment_is_refused_before_consent_hears_of_it(desk: Desk) -> None:
    case_id = await desk.case()
    await attached(desk, case_id, FREE)
    request = attach(desk, case_id, None, title="")
    assert (await desk.refused(MANAGER, "AttachAssessment", request)).reason is Reason.MISSING_VALUE
    assert not desk.consent.told


async def test_a_form_whose_free_text_isnt_free_any_more_replaces_the_old_one(desk: Desk) -> None:
    case_id = await desk.case()
    await desk.papers(case_id, reason=FreeText(text="why", declaration=FREE))
    held = await desk.call(MANAGER, "GetReferralForm", pb.GetReferralFormRequest(case_id=case_id))
    held.form.reason.ClearField("declaration")
    request = pb.SaveReferralFormRequest(case_id=case_id, form=held.form, expected_version=held.ref.version + 1)
    assert (await desk.refused(MANAGER, "SaveReferralForm", request)).reason is Reason.VERSION_CONFLICT
    request.expected_version = held.ref.version
    fresh = (await desk.call(MANAGER, "SaveReferralForm", request)).ref
    assert fresh.record_id != held.ref.record_id
    assert [told.record.record_id for told in desk.consent.told] == [held.ref.record_id]
    assert await is_closed(desk, held.ref.record_id)
    again = pb.SaveReferralFormRequest(case_id=case_id, form=held.form, expected_version=fresh.version)
    again.form.case_manager_name = "A. N. Other"
    assert (await desk.call(MANAGER, "SaveReferralForm", again)).ref.record_id == fresh.record_id
