"""Every process is killed, broker and database restarted, links cut, under load: the journey ends the same."""

import pytest

from ecm.local.names import ALL_PARTS
from faults import schedule
from faults.checker import check
from faults.conftest import Outcome

pytestmark = pytest.mark.journey


def test_the_journey_ends_the_same_and_nothing_is_lost(outcome: Outcome) -> None:
    looked_at, findings = check(outcome.evidence)
    print(outcome.run.line(outcome.options.seed, looked_at, len(findings)))
    assert findings == []
    assert outcome.run.stormy and outcome.run.loaded and outcome.run.reads
    assert min(looked_at.values()) > 0, "nothing that is checked was absent"


def test_every_process_was_killed_in_the_middle(outcome: Outcome) -> None:
    assert outcome.run.made["kill"] > len(ALL_PARTS) and outcome.run.made["restart"] == len(schedule.RESTARTS)
    assert sum(outcome.run.ledger.refused.values()) > 0, "clients noticed, and went on"


def test_what_goes_wrong_is_drawn_from_the_seed_alone() -> None:
    one, again, other = schedule.plan(7, 40, 6), schedule.plan(7, 40, 6), schedule.plan(8, 40, 6)
    assert one == again != other
    for plan in (one, other):
        met = {fault.link[1] for fault in plan if not fault.part}
        assert {"postgres", "kafka", "issuer"} < met, "and a service"
    assert [fault.at_command for fault in one] == sorted(fault.at_command for fault in one)
