"""What fails again and again is tried less and less often, and at once again after a success."""

from ecm.consent.sweeper import BACK_OFF_SECONDS, Resting
from unit.kit.builders import FakeClock


def test_it_rests_longer_each_time_and_others_dont() -> None:
    clock = FakeClock()
    resting = Resting(clock)
    rests = []
    for _ in range(6):
        assert not resting.rests("child")
        rests.append(resting.failed("child"))
        assert resting.rests("child") and not resting.rests("another")
        clock.advance(rests[-1])
    assert rests == [*BACK_OFF_SECONDS, BACK_OFF_SECONDS[-1], BACK_OFF_SECONDS[-1]]


def test_a_success_is_forgotten_failures() -> None:
    clock = FakeClock()
    resting = Resting(clock)
    for _ in range(3):
        clock.advance(resting.failed("child"))
    resting.succeeded("child")
    assert resting.failed("child") == BACK_OFF_SECONDS[0]
