"""`make attack SEED=… ATTACK="--scale 10"`: everything of this suite on a region of its own, more of it, with figures.

Ends with one line of counts. The same seed sends the same. The figures alone: `--only floods --connections 256`,
`--only alike --scale 5`; best on a machine that does nothing else.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from attack import parsers
from attack.alike import Hidden, lines
from attack.calls import Calls
from attack.floods import KINDS
from attack.letters import dead, publish, wait_until_done
from attack.region import Attacked, attacked
from attack.service import Asking, Flooding, compare
from attack.web import Web
from benchmarks.children import make
from benchmarks.filling import fill
from ecm.api.consent.v1.consent_service_pb2 import ENFORCEMENT_STATE_ENFORCED
from ecm.demo.steps.afterwards import withdrawal
from ecm.local.stack import Stack

PSYCHOLOGY, CUSTODY = "nhs-psychology", "custody-northgate"
CHILDREN, RESOURCES = 300, 20
EACH = 500
ROUNDS, TURN_SECONDS = 2, 1.0


def main() -> None:
    """Parses what was asked for, attacks, prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    options.add_argument("--scale", type=float, default=1.0, help="how much of it, of what two minutes take")
    options.add_argument("--only", choices=("floods", "alike"), help="these figures, and nothing else")
    options.add_argument("--connections", type=int, default=64, help="of a flood")
    options.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of floods")
    given = options.parse_args()
    print(f"seed {given.seed}, scale {given.scale:g}", flush=True)
    counts = Counter[str]()
    if not given.only:
        _parsers(counts, given.scale, given.seed)
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        start = Stack.start(Path(folder), fresh_ports=True, lease_seconds=5.0)
        with start as stack, attacked(stack) as target:
            if given.only != "alike":
                _floods(target, given)
            if given.only != "floods":
                _alike(target, int(EACH * given.scale), given.seed)
            if given.only:
                return
            _region(target, counts, given.scale, given.seed)
    counted = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"attack: seed {given.seed}: {counted}; no fault, nothing stored, nothing leaked, nothing stands still")


def _parsers(counts: Counter[str], scale: float, seed: int) -> None:
    for name, attack in parsers.ATTACKS.items():
        tally = parsers.run(attack, int((200 if name == "regions" else 5_000) * scale), seed)
        counts["parsed"] += tally.tried
        print(f"{name:<12} {tally.tried} inputs, {tally.answered} taken, {sum(tally.refused.values())} refused")


def _region(target: Attacked, counts: Counter[str], scale: float, seed: int) -> None:
    web = Web(target.stack, PSYCHOLOGY, target.hidden, ())
    custody = Web(target.stack, CUSTODY, target.hidden, (target.patient,))
    with target.nothing_stored():
        web.write(int(300 * scale), seed)
        custody.explore(max(1, int(scale)), seed)
    counts["http"] = sum(web.statuses.values()) + sum(custody.statuses.values())
    print("http statuses", dict(sorted((web.statuses + custody.statuses).items())))
    for service in ("referrals", "formulation"):
        counts["events"] += asyncio.run(publish(target.stack, service, int(60 * scale), seed))
        wait_until_done(target.stack, service)
        counts["dead letters"] += sum(dead(target.stack, service).values())
    calls = Calls(target.stack, list(target.other.ids.values()))
    seen = calls.run(int(1_000 * scale), seed)
    calls.close()
    counts["rpcs"] = sum(seen.values())
    print("rpc statuses", dict(sorted(seen.items())))


def _floods(target: Attacked, given: argparse.Namespace) -> None:
    """On more children than the region has of its own: what looks at much shall find much."""
    children = make(CHILDREN, RESOURCES, 1)
    uvloop.run(fill(target.stack.database_url("exchange", "owner"), children))
    flooding = Flooding(target.stack, PSYCHOLOGY, children.patients()[0], given.connections)
    rounds = max(1, int(ROUNDS * given.scale))
    print(f"\nOne client floods with {given.connections} connections, in {rounds} turns; what another gets:")
    for line in compare(flooding, CUSTODY, given.kinds, TURN_SECONDS, rounds):
        print(line, flush=True)


def _alike(target: Attacked, each: int, seed: int) -> None:
    """What is denied, and what was withdrawn, beside what never existed."""
    denied, withdrawn = Hidden.of("denied", target.journey), Hidden.of("withdrawn", target.other)
    withdraw(target)
    print(f"\nRefusals that are the same, {each} of each, interleaved (µs):")
    for client, hidden in ((CUSTODY, denied), (PSYCHOLOGY, withdrawn)):
        asking = Asking(target.stack, target.stack.token(client=client))
        for line in lines(asking, client, hidden, each, seed):
            print(line, flush=True)
        asking.close()


def withdraw(target: Attacked) -> None:
    """The other child's consent."""
    journey = target.other
    answer = journey.yot.call("case-manager", journey.yot.consent.Withdraw, withdrawal(journey))
    assert answer.enforcement.state == ENFORCEMENT_STATE_ENFORCED


if __name__ == "__main__":
    main()
