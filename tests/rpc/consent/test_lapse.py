"""E by time: the exchange can't be reached, or another database of it may hold a lease still."""

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from ecm.api.consent.v1 import consent_service_pb2 as service
from ecm.consent.lapse import Lapse
from ecm.kit.clock import SystemClock
from ecm.kit.db.engine import make_engine
from ecm.kit.errors import Reason
from ecm.kit.lease import certainly_over
from rpc.consent.builders import withdraw
from rpc.consent.conftest import Consent, empty, given

ENFORCED, ENFORCING = service.ENFORCEMENT_STATE_ENFORCED, service.ENFORCEMENT_STATE_ENFORCING
LEASE = 1.0
LEFT = 0.01


class HandClock:
    """Boot time that a test moves. Nobody may ask it for the wall clock's."""

    def __init__(self) -> None:
        self.at = 1000.0

    def boottime(self) -> float:
        return self.at

    def now(self) -> Any:
        raise AssertionError("a step of the wall clock must not matter")


@pytest_asyncio.fixture
async def engine(agreed: Consent) -> AsyncIterator[AsyncEngine]:
    made = make_engine(agreed.stack.database_url("consent"), pool_size=2, app_name="test")
    yield made
    await made.dispose()


@pytest_asyncio.fixture
async def unheard(agreed: Consent) -> AsyncIterator[UUID]:
    """A withdrawal that the exchange, out of reach, hasn't heard of."""
    _, case_id = await given(agreed)
    agreed.exchange.away = True
    try:
        answer = await agreed.call("Withdraw", withdraw(case_id), timeout=1)
        assert answer.enforcement.state == ENFORCING
        yield UUID(answer.enforcement.narrowing_id)
    finally:
        agreed.exchange.away = False


async def state(consent: Consent, narrowing_id: UUID) -> Any:
    asked = service.GetEnforcementRequest(narrowing_id=str(narrowing_id))
    return (await consent.call("GetEnforcement", asked)).enforcement.state


def test_all_three_times_are_waited_for() -> None:
    assert certainly_over(30.0) == pytest.approx(1.1 * 30.0 + 15.0 + 10.0)
    assert certainly_over(0.3) == pytest.approx(1.1 * 0.3 + 15.0 + 0.2), "a renewal has 0.2 s at least"


async def test_enforced_only_when_the_last_lease_is_over(agreed: Consent, engine: AsyncEngine, unheard: UUID) -> None:
    clock = HandClock()
    lapse = Lapse(engine, clock, LEASE)
    lapse.begins(unheard)
    for passed in (0.0, LEASE, certainly_over(LEASE) - LEFT):
        clock.at = 1000.0 + passed
        await lapse.look()
        assert await state(agreed, unheard) == ENFORCING
    clock.at = 1000.0 + certainly_over(LEASE) + LEFT
    await lapse.look()
    assert await state(agreed, unheard) == ENFORCED


async def test_a_restart_waits_anew(agreed: Consent, engine: AsyncEngine, unheard: UUID) -> None:
    clock = HandClock()
    before = Lapse(engine, clock, LEASE)
    await before.look()
    clock.at += certainly_over(LEASE) - LEFT
    after = Lapse(engine, clock, LEASE)
    await after.look()
    clock.at += certainly_over(LEASE) - LEFT
    await after.look()
    assert await state(agreed, unheard) == ENFORCING
    clock.at += 2 * LEFT
    await after.look()
    assert await state(agreed, unheard) == ENFORCED


async def test_no_lease_is_renewed_after_it_was_enforced_by_time(
    agreed: Consent, engine: AsyncEngine, unheard: UUID, refusal: Any
) -> None:
    clock = HandClock()
    lapse = Lapse(engine, clock, LEASE)
    await lapse.look()
    clock.at += certainly_over(LEASE) + LEFT
    await lapse.look()
    assert await state(agreed, unheard) == ENFORCED
    assert (await refusal(renew(agreed))).reason is Reason.LEASE_REFUSED


async def test_killed_in_between_the_process_waits_anew(agreed: Consent, unheard: UUID) -> None:
    """With its own clock: from the restart on, all three times pass before it says ENFORCED."""
    await agreed.stop(signal.SIGKILL)
    clock = SystemClock()
    restarted = clock.boottime()
    await agreed.start()
    async with asyncio.timeout(90):
        while await state(agreed, unheard) != ENFORCED:  # noqa: ASYNC110 - another process waits
            await asyncio.sleep(0.1)
    assert clock.boottime() - restarted >= certainly_over(LEASE)


async def test_what_another_database_acknowledges_is_enforced_when_the_leases_of_the_former_are_over(
    agreed: Consent, engine: AsyncEngine, refusal: Any
) -> None:
    """An exchange may still serve from the former one, which knows nothing of the withdrawal."""
    former = agreed.exchange.incarnation
    child_id, case_id = await given(agreed)
    assert (await renew(agreed)).lease_seconds == LEASE
    agreed.exchange.restore()
    clock = HandClock()
    lapse = Lapse(engine, clock, LEASE)
    assert (await refusal(renew(agreed))).reason is Reason.LEASE_REFUSED
    await agreed.exchange.until(child_id, lambda held: bool(held.grants))
    await lapse.look()
    answer = await agreed.call("Withdraw", withdraw(case_id), timeout=2)
    assert empty(agreed.exchange.sets[child_id]), "the present one has it"
    assert answer.enforcement.state == ENFORCING
    assert (await refusal(renew(agreed, former))).reason is Reason.LEASE_REFUSED
    clock.at += certainly_over(LEASE) + LEFT
    await lapse.look()
    assert await state(agreed, UUID(answer.enforcement.narrowing_id)) == ENFORCED


async def renew(consent: Consent, incarnation: str = "") -> Any:
    epoch, version = consent.exchange.highest
    request = service.RenewLeaseRequest(
        incarnation=incarnation or consent.exchange.incarnation,
        worker="w",
        highest_epoch=epoch,
        highest_version=version,
    )
    return await consent.call("RenewLease", request, service="exchange")
