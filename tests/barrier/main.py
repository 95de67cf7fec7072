"""`make barrier SEED=… [BARRIER="--seconds N"]`: a region under faults, read by every route; one line of counts.

Exit status 1 where the checker finds a breach; each is printed before the line.
"""

import argparse
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[1]


def main() -> int:
    """Runs until the seconds are over."""
    arguments = _arguments()
    print(f"barrier: SEED={arguments.seed} seconds={arguments.seconds:g} workers={arguments.workers}", flush=True)
    from barrier.children import prepared
    from barrier.ground import standing
    from barrier.run import Run

    with tempfile.TemporaryDirectory(prefix="barrier-") as folder:
        Path(folder).chmod(0o755)
        with standing(Path(folder) / "run", arguments.workers) as ground:
            verdict = Run(ground, prepared(ground, arguments.children)).go(arguments.seed, arguments.seconds)
    for reason, count in verdict.record.refused.most_common():
        print(f"  refused {count}: {reason}")
    for breach, count in Counter(verdict.breaches).most_common(50):
        print(f"  BREACH {count}: {breach.rule}: {breach.what}")
    print(f"barrier: SEED={arguments.seed} {verdict.line()}")
    return 1 if verdict.breaches else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make barrier", description=__doc__)
    parser.add_argument("--seed", default="", help="of an earlier run, to make its decisions again")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--workers", type=int, default=2, help="exchange workers")
    parser.add_argument("--children", type=int, default=3)
    found = parser.parse_args()
    found.seed = found.seed or secrets.token_hex(4)
    return found


if __name__ == "__main__":
    sys.path[0] = str(TESTS)
    sys.exit(main())
