"""A case follows formulation and consent by their events, whatever order these come in."""

import uuid

from ecm.api.common.v1.record_pb2 import CHANGE_CHANGED, RecordVersion
from ecm.api.consent.v1 import consent_events_pb2 as consent_events
from ecm.api.consent.v1 import consent_records_pb2 as consent
from ecm.api.formulation.v1 import formulation_events_pb2 as formulation_events
from ecm.api.formulation.v1 import formulation_records_pb2 as formulation
from ecm.api.referrals.v1 import referrals_records_pb2 as records
from ecm.api.referrals.v1 import referrals_service_pb2 as pb
from ecm.kit.auth.principal import service_principal
from ecm.kit.bus.events import Event
from ecm.kit.errors import Reason
from ecm.referrals.consumer import CaseFollower
from rpc.referrals.desk import MANAGER, SENIOR, Desk

KINDS = {
    "MEETING": formulation_events.RECORD_KIND_MEETING,
    "REPORT_DRAFT": formulation_events.RECORD_KIND_REPORT_DRAFT,
    "REPORT": formulation_events.RECORD_KIND_REPORT,
}


async def deliver(desk: Desk, message: object) -> None:
    event = Event(
        id=str(uuid.uuid4()),
        type=message.DESCRIPTOR.full_name,  # type: ignore[attr-defined]
        source="/example/test",
        time=desk.uow.clock.now(),
        key="",
        traceparent="",
        value=message.SerializeToString(),  # type: ignore[attr-defined]
    )
    async with desk.uow.begin(service_principal("referrals")) as tx:
        await CaseFollower(desk.consent, desk.formulation).handle(event, tx)


async def formulated(desk: Desk, case_id: str, record_id: str, kind: str, content: object) -> None:
    """A new version of a record of `formulation`, and its event."""
    versions = desk.formulation.records.setdefault(record_id, [])
    version = RecordVersion(record_id=record_id, kind=kind, version=len(versions) + 1, change=CHANGE_CHANGED)
    version.recorded_at.FromDatetime(desk.uow.clock.now())
    version.content.Pack(content)  # type: ignore[arg-type]
    versions.append(version)
    await announced(desk, case_id, record_id, kind, version.version)


async def announced(desk: Desk, case_id: str, record_id: str, kind: str, version: int) -> None:
    changed = formulation_events.RecordChanged(record_id=record_id, case_id=case_id, kind=KINDS[kind], version=version)
    await deliver(desk, changed)


async def consented(desk: Desk, case_id: str, consent_id: str, state: int, supersedes: str = "") -> None:
    """A consent's new state, and its event."""
    child_id = (await desk.read(case_id)).child_id
    kept = [record for record in desk.consent.records if record.record_id != consent_id]
    fresh = RecordVersion(record_id=consent_id, child_id=child_id, case_id=case_id, kind="CONSENT")
    fresh.content.Pack(consent.Consent(state=state, supersedes=supersedes))  # type: ignore[arg-type]
    desk.consent.records = [*kept, fresh]
    changed = consent_events.RecordChanged(
        record_id=consent_id, child_id=child_id, case_id=case_id, kind=consent_events.RECORD_KIND_CONSENT
    )
    await deliver(desk, changed)


async def state(desk: Desk, case_id: str) -> str:
    return records.CaseState.Name((await desk.read(case_id)).case.state).removeprefix("CASE_STATE_")


async def test_from_meeting_to_report(desk: Desk) -> None:
    case_id = await desk.accepted()
    meeting, draft, report = "m", "d", "r"
    await formulated(desk, case_id, meeting, "MEETING", formulation.Meeting(state=1))
    assert await state(desk, case_id) == "FORMULATION_SCHEDULED"
    await formulated(desk, case_id, meeting, "MEETING", formulation.Meeting(state=2))
    assert await state(desk, case_id) == "FORMULATION_HELD"
    await formulated(desk, case_id, draft, "REPORT_DRAFT", formulation.ReportDraft(state=1))
    assert await state(desk, case_id) == "REPORT_DRAFTED"
    await formulated(desk, case_id, draft, "REPORT_DRAFT", formulation.ReportDraft(state=2))
    assert await state(desk, case_id) == "REPORT_CHECKED"
    await formulated(desk, case_id, report, "REPORT", formulation.Report())
    assert await state(desk, case_id) == "REPORT_FINAL"
    shared = formulation.Report(circulations=[formulation.Circulation(agency="la-eastvale")])
    await formulated(desk, case_id, report, "REPORT", shared)
    assert await state(desk, case_id) == "REPORT_SHARED"
    version = (await desk.read(case_id)).ref.version
    await announced(desk, case_id, meeting, "MEETING", 1)
    await announced(desk, case_id, draft, "REPORT_DRAFT", 1)
    after = await desk.read(case_id)
    assert (after.ref.version, after.case.steps[-1].by) == (version, "ecm-referrals")


async def test_from_report_to_the_end_of_psychology(desk: Desk) -> None:
    case_id = await desk.accepted()
    early = pb.BeginInterventionRequest(case_id=case_id, expected_version=(await desk.read(case_id)).ref.version)
    assert (await desk.refused(MANAGER, "BeginIntervention", early)).reason is Reason.ILLEGAL_TRANSITION
    shared = formulation.Report(circulations=[formulation.Circulation(agency="la-eastvale")])
    await formulated(desk, case_id, "s", "REPORT", shared)
    version = await desk.step(MANAGER, "BeginIntervention", case_id)
    request = pb.WithdrawPsychologyRequest(case_id=case_id, expected_version=version, case_manager_confident=True)
    refusal = await desk.refused(SENIOR, "WithdrawPsychology", request)
    assert (refusal.reason, refusal.field) == (Reason.INVALID_VALUE, "progress_satisfactory")
    await desk.step(
        SENIOR, "WithdrawPsychology", case_id, case_manager_confident=True, progress_satisfactory=True, reason="agreed"
    )
    assert await state(desk, case_id) == "PSYCHOLOGY_WITHDRAWN"


async def test_withdrawal_halts_the_case_until_a_new_consent(desk: Desk) -> None:
    case_id = await desk.accepted()
    await consented(desk, case_id, "first", consent.CONSENT_STATE_GIVEN)
    await formulated(desk, case_id, "w", "MEETING", formulation.Meeting(state=1))
    await consented(desk, case_id, "first", consent.CONSENT_STATE_WITHDRAWN)
    assert await state(desk, case_id) == "CONSENT_WITHDRAWN"
    await consented(desk, case_id, "second", consent.CONSENT_STATE_SOUGHT)
    assert await state(desk, case_id) == "CONSENT_WITHDRAWN"
    await consented(desk, case_id, "second", consent.CONSENT_STATE_GIVEN, supersedes="first")
    assert await state(desk, case_id) == "FORMULATION_SCHEDULED"


async def test_events_of_unknown_cases_and_other_kinds_change_nothing(desk: Desk) -> None:
    await formulated(desk, str(uuid.uuid4()), "u", "MEETING", formulation.Meeting(state=1))
    other = formulation_events.RecordChanged(record_id="t", kind=formulation_events.RECORD_KIND_TIMELINE_ENTRY)
    await deliver(desk, other)
