"""What narrows elsewhere is recorded here first, and nothing late lifts it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contract.kit.test_bus import until
from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.api.formulation.v1.formulation_records_pb2 import Circulation
from ecm.api.referrals.v1.referrals_records_pb2 import ProtectedFlag
from ecm.consent.store import sets
from ecm.consent.sweeper import BATCH
from ecm.kit.db.engine import make_engine
from ecm.kit.errors import Reason
from rpc.consent.builders import give
from rpc.consent.conftest import Consent, empty, given, opens_all

ADDRESS = values_pb2.PROTECTED_KIND_ADDRESS
UNPROTECTED, FULL = values_pb2.VIEW_UNPROTECTED, values_pb2.VIEW_FULL
BORN = (2012, 6, 1)


def protect(child_id: str, version: int, *named: str) -> service.NarrowRequest:
    protecting = service.ProtectNarrowing(kind=ADDRESS, named_agencies=named, child_version=version)
    return service.NarrowRequest(intent_id=str(uuid4()), child_id=child_id, protect=protecting)


def views(held: Any) -> set[int]:
    return {grant.view for grant in held.grants}


async def narrow(consent: Consent, request: service.NarrowRequest, owner: str = "referrals") -> service.Enforcement:
    return (await consent.call("Narrow", request, service=owner)).enforcement


async def test_a_protected_flag_narrows_at_once_and_an_older_version_doesnt_lift_it(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    await narrow(agreed, protect(child_id, 2))
    await agreed.exchange.until(child_id, lambda held: views(held) == {UNPROTECTED})
    await agreed.tell("referrals", agreed.keep_case(child_id, case_id))
    late = agreed.kept.versions[-3]
    assert (late.kind, late.version) == ("CHILD", 1)
    await agreed.tell("referrals", late)
    marker, marker_case = agreed.child()
    await agreed.call("GiveConsent", give(marker_case))
    await agreed.exchange.until(marker, opens_all)
    assert views(agreed.exchange.sets[child_id]) == {UNPROTECTED}


async def test_the_file_decides_once_it_shows_the_flag_and_may_lift_it_later(agreed: Consent) -> None:
    child_id, _ = await given(agreed)
    await narrow(agreed, protect(child_id, 2, "la-eastvale"))
    flag = ProtectedFlag(kind=ADDRESS, named_agencies=["la-eastvale"])
    await agreed.tell("referrals", agreed.keep_child(child_id, born=BORN, flags=[flag]))
    await agreed.exchange.until(child_id, lambda held: views(held) == {UNPROTECTED})
    await agreed.tell("referrals", agreed.keep_child(child_id, born=BORN))
    await agreed.exchange.until(child_id, lambda held: views(held) == {FULL})


async def test_narrow_answers_at_r_though_the_exchange_is_away_and_twice_is_once(agreed: Consent) -> None:
    child_id, _ = await given(agreed)
    agreed.exchange.away = True
    try:
        request = protect(child_id, 2)
        first = await narrow(agreed, request)
        assert (await narrow(agreed, request)).version == first.version
        assert first.state == service.ENFORCEMENT_STATE_ENFORCING
        assert first.narrowing_id == request.intent_id
    finally:
        agreed.exchange.away = False
    await agreed.exchange.until(child_id, lambda held: views(held) == {UNPROTECTED})


async def test_closing_a_case_ends_its_consent_for_good(agreed: Consent, refusal: Any) -> None:
    child_id, case_id = await given(agreed)
    closing = service.CloseCaseNarrowing(case_id=case_id, case_version=2)
    await narrow(agreed, service.NarrowRequest(intent_id=str(uuid4()), child_id=child_id, close_case=closing))
    await agreed.exchange.until(child_id, empty)
    refused = await refusal(agreed.call("GiveConsent", give(case_id)))
    assert refused.reason is Reason.ILLEGAL_TRANSITION
    for state in ("CLOSED", "ACCEPTED"):
        await agreed.tell("referrals", agreed.keep_case(child_id, case_id, state=state))
    listed = await agreed.call("ListConsents", service.ListConsentsRequest(case_id=case_id))
    assert [one.consent.state for one in listed.consents] == [6]
    await agreed.call("GiveConsent", give(case_id))
    await agreed.exchange.until(child_id, opens_all)


async def test_a_corrected_birth_date_closes_what_was_signed_by_too_few(agreed: Consent) -> None:
    child_id, case_id = agreed.child(born=(2009, 6, 1))
    await agreed.call("GiveConsent", give(case_id, "CHILD"))
    await agreed.exchange.until(child_id, opens_all)
    corrected = service.BirthDateNarrowing(date_of_birth={"year": 2012, "month": 6, "day": 1}, child_version=2)
    await narrow(agreed, service.NarrowRequest(intent_id=str(uuid4()), child_id=child_id, birth_date=corrected))
    await agreed.exchange.until(child_id, empty)
    listed = await agreed.call("ListConsents", service.ListConsentsRequest(case_id=case_id))
    assert listed.consents[0].consent.question_reopened
    await agreed.call("GiveConsent", give(case_id))
    await agreed.exchange.until(child_id, opens_all)


async def test_a_retracted_record_is_withheld_from_everyone(agreed: Consent) -> None:
    child_id, _ = await given(agreed)
    entry = str(uuid4())
    request = service.NarrowRequest(intent_id=str(uuid4()), child_id=child_id, record={"record_id": entry})
    await narrow(agreed, request, "formulation")
    held = await agreed.exchange.until(child_id, lambda held: held.restrictions)
    assert [one.record_id for one in held.restrictions] == [entry]
    assert opens_all(held)


async def test_a_circulation_taken_back_can_be_given_again(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    standing, ended = Circulation(agency="la-eastvale"), Circulation(agency="la-eastvale", ended=True)
    report = agreed.keep_formulation("REPORT", child_id, case_id, circulations=[standing])
    await agreed.tell("formulation", report)
    await agreed.exchange.until(child_id, lambda held: held.grants)
    taking = {"record_id": report.record_id, "agency": "la-eastvale"}
    request = service.NarrowRequest(intent_id=str(uuid4()), child_id=child_id, record=taking)
    await narrow(agreed, request, "formulation")
    await agreed.exchange.until(child_id, empty)
    for circulations in ([ended], [ended, standing]):
        version = agreed.keep_formulation("REPORT", child_id, case_id, report.record_id, circulations=circulations)
    await agreed.tell("formulation", version)
    await agreed.exchange.until(child_id, lambda held: held.grants)


async def test_a_narrowing_of_a_child_not_heard_of_holds_when_it_is(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    told = await narrow(agreed, protect(child_id, 2))
    assert told.state == service.ENFORCEMENT_STATE_ENFORCED
    await agreed.call("GiveConsent", give(case_id))
    held = await agreed.exchange.until(child_id, opens_all)
    assert views(held) == {UNPROTECTED}


async def test_expiry_closes_and_stays_closed(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    today = datetime.now(UTC).date()
    await agreed.call("GiveConsent", give(case_id, valid_until={"year": today.year + 1, "month": 3, "day": 12}))
    held = await agreed.exchange.until(child_id, opens_all)
    assert {grant.valid_until.ToDatetime(UTC) for grant in held.grants} == {datetime(today.year + 1, 3, 13, tzinfo=UTC)}
    database = await asyncpg.connect(agreed.stack.database_url("consent"))
    # Its last day can't be yesterday, so the sweeper's own note is put back.
    moved = await database.execute("UPDATE deadline SET at = now() WHERE child_id = $1 AND kind = 'EXPIRY'", child_id)
    await database.close()
    assert moved == "UPDATE 1"
    await agreed.exchange.until(child_id, empty)
    listed = await agreed.call("ListConsents", service.ListConsentsRequest(case_id=case_id))
    assert [one.consent.state for one in listed.consents] == [6]


async def test_a_deadline_that_fails_blocks_none_behind_it(agreed: Consent) -> None:
    child_id, case_id = agreed.child()
    await agreed.call(
        "GiveConsent", give(case_id, valid_until={"year": datetime.now(UTC).year + 1, "month": 3, "day": 1})
    )
    await agreed.exchange.until(child_id, opens_all)
    database = await asyncpg.connect(agreed.stack.database_url("consent"))
    # More than the sweeper looks at in one go, each of a record that isn't there.
    broken = "INSERT INTO deadline (record_id, kind, child_id, at) VALUES ($1, 'EXPIRY', $2, now() - interval '1 day')"
    lost = uuid4()
    try:
        await database.executemany(broken, [(uuid4(), lost) for _ in range(BATCH + 1)])
        await database.execute("UPDATE deadline SET at = now() WHERE child_id = $1 AND kind = 'EXPIRY'", child_id)
        await agreed.exchange.until(child_id, empty)
        assert await database.fetchval("SELECT count(*) FROM deadline WHERE child_id = $1", lost) == BATCH + 1
    finally:
        await database.execute("DELETE FROM deadline WHERE child_id = $1", lost)
        await database.close()
    assert "sweep.one_failed" in agreed.journal.with_name("consent.log").read_text()


async def test_a_child_whose_set_cant_be_compiled_blocks_none_behind_it(agreed: Consent) -> None:
    child_id, _ = await given(agreed)
    database = await asyncpg.connect(agreed.stack.database_url("consent", "owner"))
    # More than the sweeper looks at in one go, each with a case that says nothing, and all of them before the child.
    broken = [UUID(int=number) for number in range(1, BATCH + 2)]
    fact = """INSERT INTO fact (record_id, kind, child_id, yot, version, closed, terms)
        VALUES ($1, 'CASE', $1, 'eastvale', 1, false, '{}')"""
    queue = "INSERT INTO recompile (child_id) VALUES ($1)"
    try:
        await database.executemany(fact, [(child,) for child in broken])
        await database.executemany(queue, [(child,) for child in (*broken, UUID(child_id))])

        async def compiled() -> bool:
            return await database.fetchval("SELECT 1 FROM recompile WHERE child_id = $1", UUID(child_id)) is None

        await until(compiled, seconds=60)
        assert await database.fetchval("SELECT count(*) FROM recompile") == len(broken)
    finally:
        await database.execute("DELETE FROM recompile WHERE child_id = ANY($1)", broken)
        await database.execute("DELETE FROM fact WHERE child_id = ANY($1)", broken)
        await database.close()


async def test_every_child_of_a_large_region_is_queued_at_once(agreed: Consent) -> None:
    """A statement has 32,767 parameters at most."""
    engine = make_engine(agreed.stack.database_url("consent"), app_name="test")
    children = [UUID(int=number) for number in range(1, 40_001)]
    async with engine.connect() as conn, conn.begin() as transaction:
        await sets.queue_all(conn, children)
        assert await sets.queued(conn, 3, after=children[39_996]) == children[39_997:]
        await transaction.rollback()
    await engine.dispose()


async def test_a_second_correction_restores_no_consent_in_question(agreed: Consent) -> None:
    child_id, case_id = agreed.child(born=(2009, 6, 1))
    await agreed.call("GiveConsent", give(case_id, "CHILD"))
    await agreed.exchange.until(child_id, opens_all)
    for year, version in ((2012, 2), (2009, 3)):
        corrected = service.BirthDateNarrowing(
            date_of_birth={"year": year, "month": 6, "day": 1}, child_version=version
        )
        await narrow(agreed, service.NarrowRequest(intent_id=str(uuid4()), child_id=child_id, birth_date=corrected))
        await agreed.exchange.until(child_id, empty)
    listed = await agreed.call("ListConsents", service.ListConsentsRequest(case_id=case_id))
    assert listed.consents[0].consent.question_reopened
    agreed.keep_child(child_id, born=(2009, 6, 1))
    await agreed.call("GiveConsent", give(case_id, "CHILD"))
    await agreed.exchange.until(child_id, opens_all)


@pytest.mark.parametrize("what", [{}, {"protect": {}}, {"record": {"record_id": "not-an-id"}}])
async def test_a_narrowing_says_what_narrows(agreed: Consent, refusal: Any, what: dict[str, Any]) -> None:
    request = service.NarrowRequest(intent_id=str(uuid4()), child_id=str(uuid4()), **what)
    assert (await refusal(narrow(agreed, request))).reason in (Reason.MISSING_VALUE, Reason.INVALID_VALUE)
