"""A running region under attack: no fault of ours, nothing stored, nothing leaked, nothing stands still."""

import asyncio
import os

import pytest

from attack.calls import Calls
from attack.hostile import CANARY
from attack.letters import dead, publish, wait_until_buried
from attack.region import Attacked
from attack.web import Web

SEED = int(os.environ.get("SEED", "20"))


@pytest.mark.parametrize("client", ["nhs-psychology", "custody-northgate"])
def test_hostile_writes_are_refused_and_leave_nothing(target: Attacked, client: str) -> None:
    web = Web(target.stack, client, target.hidden, ())
    with target.nothing_stored():
        web.write(80, SEED)
    assert sum(web.statuses.values()) == 80


def test_every_route_with_requests_right_and_wrong(target: Attacked) -> None:
    """As a client to whom nothing was granted, with the id of a child who exists among those that it asks for."""
    web = Web(target.stack, "custody-northgate", target.hidden, (target.patient,))
    with target.nothing_stored():
        web.explore(1, SEED, every=3)
    assert {200, 404} <= set(web.statuses)


def test_every_rpc_with_requests_right_and_wrong(target: Attacked) -> None:
    calls = Calls(target.stack, list(target.other.ids.values()))
    try:
        seen = calls.run(300, SEED)
    finally:
        calls.close()
    assert {"INVALID_ARGUMENT", "NOT_FOUND", "OK"} <= set(seen)


@pytest.mark.parametrize("service", ["referrals", "formulation"])
def test_malformed_events_are_dead_letters_and_nothing_stands_still(target: Attacked, service: str) -> None:
    before = dead(target.stack, service)
    asyncio.run(publish(target.stack, service, 30, SEED))
    buried = wait_until_buried(target.stack, service, before, at_least=10)
    assert all(10 <= count <= 30 for count in buried.values()), buried


def test_no_log_repeats_what_was_sent(target: Attacked) -> None:
    """The last of these: whatever the others sent."""
    for log in target.stack.paths.logs.iterdir():
        said = log.read_bytes()
        assert CANARY.encode() not in said, log.name
        assert b"Traceback" not in said, log.name
