"""Given, enforced, withdrawn, enforced: the path that everything else stands beside."""

import asyncio
import json
import signal
from typing import Any
from uuid import uuid4

from ecm.api.common.v1 import values_pb2
from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.lapse import Lapse
from ecm.kit.clock import SystemClock
from ecm.kit.db.engine import make_engine
from ecm.kit.errors import Reason
from ecm.kit.lease import certainly_over
from rpc.consent.builders import give, withdraw
from rpc.consent.conftest import Consent, empty, given, opens_all

ENFORCED, ENFORCING = service.ENFORCEMENT_STATE_ENFORCED, service.ENFORCEMENT_STATE_ENFORCING


async def test_consent_opens_every_line_and_withdrawal_closes_them_before_it_is_answered(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    held = agreed.exchange.sets[child_id]
    assert {grant.recipient for grant in held.grants} == {"nhs-psychology"}
    assert {grant.view for grant in held.grants} == {values_pb2.VIEW_FULL}
    answer = await agreed.call("Withdraw", withdraw(case_id), "supervisor")
    assert answer.enforcement.state == ENFORCED
    assert empty(agreed.exchange.sets[child_id])
    moments = answer.enforcement
    assert moments.recorded_at.ToNanoseconds() <= moments.enforced_at.ToNanoseconds()
    assert moments.enforced_at.ToNanoseconds() <= moments.answered_at.ToNanoseconds()


async def test_a_withdrawal_repeated_answers_the_same_narrowing(agreed: Consent) -> None:
    _, case_id = await given(agreed)
    key = uuid4().hex
    first = await agreed.call("Withdraw", withdraw(case_id), key=key)
    again = await agreed.call("Withdraw", withdraw(case_id), key=key)
    other = await agreed.call("Withdraw", withdraw(case_id), "senior-practitioner")
    assert first == again
    assert other.ref == first.ref
    assert other.enforcement == first.enforcement


async def test_two_at_once_are_one_withdrawal_and_a_gift_beside_it_never_outlives_it(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    calls = [agreed.call("Withdraw", withdraw(case_id), person) for person in ("supervisor", "yot-manager")]
    renewed = agreed.call("GiveConsent", give(case_id))
    one, other, gift = await asyncio.gather(*calls, renewed, return_exceptions=True)
    ended = [answer for answer in (one, other) if not isinstance(answer, BaseException)]
    assert len(ended) == 2
    if isinstance(gift, BaseException):
        assert ended[0].enforcement.narrowing_id == ended[1].enforcement.narrowing_id
    await agreed.exchange.until(child_id, empty)


async def test_exchange_away_says_enforcing_and_is_enforced_later(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    agreed.exchange.away = True
    try:
        answer = await agreed.call("Withdraw", withdraw(case_id), timeout=1.5)
        assert answer.enforcement.state == ENFORCING
        assert not answer.enforcement.HasField("enforced_at")
        assert not empty(agreed.exchange.sets[child_id])
    finally:
        agreed.exchange.away = False
    await agreed.exchange.until(child_id, empty)
    asked = service.GetEnforcementRequest(narrowing_id=answer.enforcement.narrowing_id)
    told = await until_enforced(agreed, asked)
    assert told.version == answer.enforcement.version


async def until_enforced(consent: Consent, asked: service.GetEnforcementRequest) -> service.Enforcement:
    async with asyncio.timeout(8):
        while True:
            told = (await consent.call("GetEnforcement", asked)).enforcement
            if told.state == ENFORCED:
                return told
            await asyncio.sleep(0.05)


async def test_a_set_that_is_refused_holds_back_no_other(agreed: Consent) -> None:
    stuck, stuck_case = agreed.child()
    agreed.exchange.refuses = stuck
    try:
        await agreed.call("GiveConsent", give(stuck_case))
        await given(agreed)
        assert stuck not in agreed.exchange.sets
    finally:
        agreed.exchange.refuses = ""
    await agreed.exchange.until(stuck, opens_all)


async def test_the_journal_has_it_before_the_answer_and_nothing_about_a_person(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    agreed.exchange.away = True
    try:
        answer = await agreed.call("Withdraw", withdraw(case_id), timeout=1)
    finally:
        agreed.exchange.away = False
    lines = [json.loads(line) for line in agreed.journal.read_text().splitlines()]
    mine = next(line for line in lines if line["narrowing_id"] == answer.enforcement.narrowing_id)
    assert (mine["subject"], mine["version"]) == (child_id, answer.enforcement.version)
    assert set(mine) == {"narrowing_id", "subject", "kind", "record_id", "epoch", "version", "recorded_at"}


async def test_no_lease_while_a_narrowing_is_unacknowledged(agreed: Consent, refusal: Any) -> None:
    _, case_id = await given(agreed)
    assert (await renew(agreed)).lease_seconds == 1
    agreed.exchange.away = True
    try:
        await agreed.call("Withdraw", withdraw(case_id), timeout=1)
        refused = await refusal(renew(agreed))
        assert refused.reason is Reason.LEASE_REFUSED
    finally:
        agreed.exchange.away = False
    await until_leased(agreed)


async def test_another_incarnation_gets_all_sets_again_before_its_lease(agreed: Consent, refusal: Any) -> None:
    gone, withdrawn_case = await given(agreed)
    standing, _ = await given(agreed)
    await agreed.call("Withdraw", withdraw(withdrawn_case))
    agreed.exchange.restore()
    refused = await refusal(renew(agreed))
    assert refused.reason is Reason.LEASE_REFUSED
    await until_leased(agreed)
    assert empty(await agreed.exchange.until(gone, empty))
    assert opens_all(await agreed.exchange.until(standing, opens_all))
    assert agreed.exchange.region.lines
    await until_alone(agreed)


async def until_alone(consent: Consent) -> None:
    """Until the former database's leases are over: later tests want what is acknowledged enforced at once."""
    engine = make_engine(consent.stack.database_url("consent"), pool_size=1, app_name="test")
    clock = AheadClock()
    lapse = Lapse(engine, clock, 1.0)
    await lapse.look()
    clock.ahead = certainly_over(1.0) + 1
    await lapse.look()
    await engine.dispose()


class AheadClock(SystemClock):
    """Ahead of boot time."""

    ahead = 0.0

    def boottime(self) -> float:
        return super().boottime() + self.ahead


async def renew(consent: Consent) -> Any:
    epoch, version = consent.exchange.highest
    request = service.RenewLeaseRequest(
        incarnation=consent.exchange.incarnation, worker="w", highest_epoch=epoch, highest_version=version
    )
    return await consent.call("RenewLease", request, service="exchange")


async def until_leased(consent: Consent) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await renew(consent)
                return
            except Exception:
                await asyncio.sleep(0.05)


async def test_killed_between_recording_and_enforcing_it_is_enforced_after_the_restart(agreed: Consent) -> None:
    child_id, case_id = await given(agreed)
    agreed.exchange.away = True
    pending = asyncio.create_task(agreed.call("Withdraw", withdraw(case_id), timeout=9))
    async with asyncio.timeout(8):
        while child_id not in agreed.journal.read_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    await agreed.stop(signal.SIGKILL)
    (lost,) = await asyncio.gather(pending, return_exceptions=True)
    assert isinstance(lost, BaseException)
    agreed.exchange.away = False
    assert not empty(agreed.exchange.sets[child_id])
    await agreed.start()
    await agreed.exchange.until(child_id, empty)
    again = await agreed.call("Withdraw", withdraw(case_id))
    assert again.enforcement.state == ENFORCED
