"""`make attack SEED=… ATTACK="--scale 10"`: everything of this suite on a region of its own, more of it, with figures.

Ends with one line of counts. The same seed sends the same.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
import uuid
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from attack import parsers
from attack.calls import Calls
from attack.letters import dead, publish, wait_until_done
from attack.measure import alike, compare, floods
from attack.region import Attacked, attacked
from attack.web import Web
from ecm.api.consent.v1.consent_service_pb2 import ENFORCEMENT_STATE_ENFORCED
from ecm.demo.steps.afterwards import withdrawal
from ecm.local.stack import Stack

PSYCHOLOGY, CUSTODY = "nhs-psychology", "custody-northgate"


def main() -> None:
    """Parses what was asked for, attacks, prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    options.add_argument("--scale", type=float, default=1.0, help="how much of it, of what two minutes take")
    given = options.parse_args()
    print(f"seed {given.seed}, scale {given.scale:g}", flush=True)
    counts = Counter[str]()
    _parsers(counts, given.scale, given.seed)
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        start = Stack.start(Path(folder), fresh_ports=True, lease_seconds=5.0)
        with start as stack, attacked(stack) as target:
            _figures(target, given.scale, given.seed)
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


def _figures(target: Attacked, scale: float, seed: int) -> None:
    print("\nOne client's flood, and what another gets:")
    print("\n".join(floods(target.stack, PSYCHOLOGY, CUSTODY, 4.0 * scale)), flush=True)
    closed = target.other.psychology.patient(target.other.subject.identifier)
    assert closed is not None
    withdraw(target)
    each = int(300 * scale)
    print(f"\nRefusals that are the same, {each} of each, interleaved (µs):")
    random_id, word = (lambda: f"/Patient/{uuid.uuid4()}"), (lambda: "/Patient/nobody")
    asked = {
        CUSTODY: {"never existed": random_id, "denied": lambda: f"/Patient/{target.patient}", "no id of ours": word},
        PSYCHOLOGY: {"never existed": random_id, "withdrawn": lambda: f"/Patient/{closed['id']}"},
    }
    for client, paths in asked.items():
        first, *others = alike(target.stack, client, paths, each, seed).items()
        for kind, took in others:
            found = compare(first[1], took, seed)
            print(
                f"{client:<18} {first[0]} {found.median:.0f}, {kind} {found.other:.0f}: "
                f"difference {found.low:+.0f} to {found.high:+.0f} (95 %), p {found.p:.2f}, "
                f"detectable from {found.detectable:.0f}"
            )


def withdraw(target: Attacked) -> None:
    """The other child's consent."""
    journey = target.other
    answer = journey.yot.call("case-manager", journey.yot.consent.Withdraw, withdrawal(journey))
    assert answer.enforcement.state == ENFORCEMENT_STATE_ENFORCED


if __name__ == "__main__":
    main()
