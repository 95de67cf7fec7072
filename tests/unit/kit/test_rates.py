"""A token bucket as one number: it lets through what it should over any stretch of time, and no more."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.kit import rates as module
from ecm.kit.rates import Rates


@dataclass
class Watch:
    """A clock that a test sets."""

    at: float = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_burst_then_as_much_as_comes_in() -> None:
    watch = Watch()
    rates = Rates(10, burst=2.0, clock=watch)
    assert [rates.take("a") for _ in range(20)] == [0.0] * 20
    late = rates.take("a")
    assert 0 < late <= 0.1 + 1e-9
    assert rates.empty("a")
    watch.at += late + 1e-6
    assert not rates.empty("a")
    assert rates.take("a") == 0.0
    assert rates.take("a") > 0


def test_each_has_its_own() -> None:
    rates = Rates(1, {"often": 5, "always": 0}, burst=1.0, clock=Watch())
    assert [rates.take("often") for _ in range(5)] == [0.0] * 5
    assert rates.take("often") > 0
    assert rates.take("seldom") == 0.0
    assert rates.take("seldom") > 0
    assert not any(rates.take("always") for _ in range(1_000))


def test_less_than_one_a_second_still_lets_one_in() -> None:
    rates = Rates(0.1, clock=Watch())
    assert rates.take("a") == 0.0
    assert 9 < rates.take("a") <= 10


def test_no_limit() -> None:
    rates = Rates(0)
    assert not any(rates.take("a") for _ in range(10_000))
    assert not rates.empty("a")


@given(st.lists(st.floats(0, 3), max_size=200), st.floats(0.5, 50))
def test_over_any_time_no_more_than_the_rate_and_a_burst(waits: list[float], rate: float) -> None:
    watch = Watch(0.0)
    rates = Rates(rate, burst=2.0, clock=watch)
    let_in = []
    for wait in waits:
        watch.at += wait
        if not rates.take("a"):
            let_in.append(watch.at)
    most = max(2.0 * rate, 1)
    for first, since in enumerate(let_in):
        for count, until in enumerate(let_in[first:], start=1):
            assert count <= most + (until - since) * rate + 1e-6


def test_what_is_known_is_bounded() -> None:
    watch = Watch()
    rates = Rates(1, burst=1.0, clock=watch)
    for number in range(module.MOST_KNOWN * 3):
        rates.take(f"address-{number}")
    assert len(rates._full_at) <= module.MOST_KNOWN


def test_what_is_known_afterwards_is_taken_also_where_there_is_too_little() -> None:
    watch = Watch()
    rates = Rates(1, burst=2.0, clock=watch)
    assert rates.take("a") == 0
    rates.charge("a", 5)
    assert rates.take("a") == pytest.approx(5.0)
    watch.at += 5
    assert rates.take("a") == 0
    assert rates.take("b") == 0, "nobody else pays for it"
    Rates(0).charge("a", 5)
