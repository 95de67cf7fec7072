"""The barrier holds under faults; and the same checker, in the same region, finds each mistake that could be made."""

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from barrier import sabotage
from barrier.faults import OUT_OF_REACH_SECONDS
from barrier.ground import Ground
from barrier.run import Plan, Run, chances
from ecm.admin.questions import verify_audit
from ecm.demo.journey import PSYCHOLOGY
from ecm.exchange.disclosure.disclose_sql import disclose_function

pytestmark = pytest.mark.barrier

SECONDS = float(os.environ.get("BARRIER_SECONDS", "120"))
SEED = os.environ.get("SEED") or secrets.token_hex(4)
TURN_SECONDS, TURNS = 15.0, 6
MUTANT = "exchange-2"
FAST = (0.0, 0.3)


def test_no_breach(run: Run) -> None:
    verdict = run.go(SEED, SECONDS)
    print(f"barrier: SEED={SEED} {verdict.line()}")
    assert Counter(verdict.breaches) == {}, f"SEED={SEED}"
    shown = {seen.route for seen in verdict.record.seen if seen.versions}
    assert shown and verdict.disclosed and verdict.told and verdict.record.closed and verdict.record.faults


def test_the_audit_of_the_run_holds(run: Run) -> None:
    told = asyncio.run(verify_audit(run.ground.stack))
    print(f"audit: {told.rows_verified} rows and {told.checkpoints_verified} checkpoints verified")
    assert told.valid and told.rows_verified and told.checkpoints_verified, list(told.faults)


Faulty = Callable[[Ground], AbstractContextManager[None]]
WITHDRAWALS = Plan(readers=(PSYCHOLOGY,) * 4, kinds=("withdrawal",), hold=FAST, faults=(), regional=False)
UNREACHABLE = Plan(
    readers=(PSYCHOLOGY,) * 2,
    kinds=("withdrawal",),
    first=1.0,
    hold=(10.0, 10.0),
    faults=((("unreachable",), (0.0, 0.0)),),
    regional=False,
)
"""A withdrawal while `consent` can't reach the exchange: enforced by time, and then asked for until the run ends."""
BEHIND = Plan(readers=(PSYCHOLOGY,) * 4, kinds=("withdrawal",), faults=((("behind",), FAST),), regional=False)
WAITING = Plan(
    readers=(PSYCHOLOGY,) * 6,
    kinds=("withdrawal",),
    hold=FAST,
    faults=(),
    regional=False,
    routes=("read",),
    install=sabotage.LONGER,
)
RESTRICTIONS = Plan(readers=(PSYCHOLOGY,) * 4, kinds=("restriction",), faults=(), regional=False)


def _seconds(plan: Plan) -> float:
    return OUT_OF_REACH_SECONDS if plan is UNREACHABLE else TURN_SECONDS


def _database(fault: str, cure: str) -> Faulty:
    return lambda ground: sabotage.sabotaged(ground.database("exchange"), fault, cure)


MUTANTS: dict[str, tuple[Faulty, Plan]] = {
    "a grant is cached": (lambda ground: ground.mutated("cache-a-grant", MUTANT), WITHDRAWALS),
    "the lease is ignored": (lambda ground: ground.mutated("ignore-the-lease", MUTANT), UNREACHABLE),
    "lock and read are one statement": (_database(sabotage.lock_and_read_in_one(), disclose_function()), WAITING),
    "consent answers before E": (lambda ground: ground.mutated("answer-before-e", "consent"), BEHIND),
    "an old view is served": (_database(sabotage.OLD_VIEW, sabotage.OLD_VIEW_OVER), RESTRICTIONS),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_it_bites(run: Run, name: str) -> None:
    """Runs until there is a breach; a fault that isn't found in all turns fails the test."""
    faulty, plan = MUTANTS[name]
    with faulty(run.ground):
        for turn in range(TURNS):
            found = Counter(breach.rule for breach in run.go(f"{SEED}/{name}/{turn}", _seconds(plan), plan).breaches)
            if found:
                print(f"{name}: {dict(found)}")
                return
    pytest.fail(f"{name} wasn't found")


@pytest.mark.parametrize("plan", [WITHDRAWALS, UNREACHABLE, WAITING, RESTRICTIONS, BEHIND])
def test_without_a_mutant_the_same_plans_find_nothing(run: Run, plan: Plan) -> None:
    assert Counter(run.go(SEED, _seconds(plan), plan).breaches) == {}


def test_the_decisions_come_from_the_seed_alone() -> None:
    drawn = [[chances(seed)(name).random() for name in ("region", "reader 1")] for seed in ("a", "a", "b")]
    assert drawn[0] == drawn[1] != drawn[2]
