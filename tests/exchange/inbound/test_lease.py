"""The lease from `consent`."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ecm.api.consent.v1.consent_service_pb2 import RenewLeaseResponse
from ecm.exchange.lease import Lease
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds
from exchange.inbound.world import World, patient_grant


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def boottime(self) -> float:
        return self.at


class FakeConsent:
    """`consent` as the lease calls it."""

    def __init__(self, clock: HandClock, answer: Callable[[], RenewLeaseResponse]) -> None:
        self.channel = SimpleNamespace(unary_unary=lambda *_, **__: None)
        self.requests: list[Any] = []
        self._clock = clock
        self._answer = answer
        self.takes = 0.0

    async def call(self, _method: object, request: Any, **_: object) -> RenewLeaseResponse:
        self.requests.append(request)
        self._clock.at += self.takes
        return self._answer()


def refused() -> RenewLeaseResponse:
    raise DomainError(Reason.LEASE_REFUSED, "A narrowing waits.")


def lease_of(world: World, answer: Callable[[], RenewLeaseResponse], seconds: float = 3.0) -> Any:
    clock = HandClock()
    consent = FakeConsent(clock, answer)
    return Lease(world.engine, consent, clock, RandomIds(), seconds), clock, consent  # type: ignore[arg-type]


async def test_no_lease_before_the_first_word(world: World) -> None:
    lease, _, _ = lease_of(world, refused)
    with pytest.raises(DomainError) as caught:
        lease.require()
    assert caught.value.reason is Reason.LEASE_EXPIRED


async def test_it_counts_from_before_it_was_asked_for(world: World) -> None:
    lease, clock, consent = lease_of(world, lambda: RenewLeaseResponse(lease_seconds=3.0))
    consent.takes = 2.0
    await lease.renew()
    assert lease.valid()
    clock.at = 1002.9
    lease.require()
    clock.at = 1003.0
    assert not lease.valid()


async def test_it_is_never_longer_than_our_own_setting(world: World) -> None:
    lease, clock, _ = lease_of(world, lambda: RenewLeaseResponse(lease_seconds=60.0))
    await lease.renew()
    clock.at += 3.0
    assert not lease.valid()


async def test_a_refusal_renews_nothing(world: World) -> None:
    lease, _, _ = lease_of(world, refused)
    with pytest.raises(DomainError):
        await lease.renew()
    assert not lease.valid()


async def test_it_names_the_database_and_the_highest_set(world: World) -> None:
    lease, _, consent = lease_of(world, lambda: RenewLeaseResponse(lease_seconds=3.0))
    await lease.renew()
    assert (consent.requests[0].highest_epoch, consent.requests[0].highest_version) == (0, 0)
    child = await world.child()
    await world.open_region()
    answer = await world.grant(child, patient_grant())
    await lease.renew()
    request = consent.requests[1]
    assert (request.highest_epoch, request.highest_version) == (answer.epoch, answer.version)
    assert request.incarnation == answer.incarnation
